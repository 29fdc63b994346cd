"""What the efficiency score can charge a cell for, one module per objective."""
