"""What models minimise, as functions of tensors."""
