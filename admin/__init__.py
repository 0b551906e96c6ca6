"""What the merchant sees and sets."""
