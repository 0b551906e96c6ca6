"""The baseline of sockets: a bare Starlette socket relaying raw SSE lines, kept back to the sentence."""

import asyncio
import sys

import httpx2
import orjson
import uvloop
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from chatbot.server import listen, make_server


async def main() -> None:
    """Serve until killed; says ``ready``, then the port. The argument is where the stream comes from."""
    async with httpx2.AsyncClient(timeout=60, limits=httpx2.Limits(max_connections=None)) as http:

        async def relay(socket: WebSocket, asked: str) -> None:
            body = {"model": "model-a", "stream": True, "messages": [{"role": "user", "content": asked}]}
            kept = ""
            async with http.stream("POST", f"{sys.argv[1]}/chat/completions", json=body) as stream:
                async for line in stream.aiter_lines():
                    if not line.startswith("data: {"):
                        continue
                    choices = orjson.loads(line[6:])["choices"]
                    kept += choices[0]["delta"].get("content") or "" if choices else ""
                    if kept.endswith(". "):
                        await socket.send_text(kept)
                        kept = ""
            await socket.send_text("")

        async def serve(socket: WebSocket) -> None:
            await socket.accept()
            try:
                while True:
                    await relay(socket, await socket.receive_text())
            except WebSocketDisconnect:
                return

        with listen("127.0.0.1", 0) as listener:
            port = listener.getsockname()[1]
            server = make_server(Starlette(routes=[WebSocketRoute("/ws", serve)]), "127.0.0.1", port)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            await server.answers.wait()
            sys.stdout.write(f"ready\n{port}\n")
            sys.stdout.flush()
            await serving


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
