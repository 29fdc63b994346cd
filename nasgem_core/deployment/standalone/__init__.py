"""Networks in torch alone: their source is what an exported Python file consists of."""
