"""What is promised whatever breaks, each shown against an oracle of its own."""
