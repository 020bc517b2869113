"""Takes orders for a small catalogue of products and lists them."""
