"""A small shop: `front` takes requests, `orders` keeps orders, `stock` knows what is left."""
