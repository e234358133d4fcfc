"""Networks that more than one model uses; a network lives in its model's file until then."""
