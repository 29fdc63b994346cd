"""Pictures and the report: values in, matplotlib figures and one page of HTML out."""
