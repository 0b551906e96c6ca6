"""Everything about carts, scores, coupons, e-mails and orders: the core that the assistant and the admin build on."""
