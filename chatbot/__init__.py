"""The live assistant: conversations over a WebSocket about one cart and the store's own products."""
