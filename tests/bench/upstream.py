"""An OpenAI-compatible stream of 25 tokens a second for the benchmark; writes down when it sent each token.

The code in a question names its stream; ``GET /stamps/{code}`` tells the times, on the clock all processes share.
"""

import asyncio
import re
import sys
import time

import orjson
import uvloop

TOKENS_PER_SECOND = 25
SENTENCE = "It is a calm and quiet thing for long walks with good friends. "
SENTENCES = 8
#: As a model's tokens go, but each with its blank behind it, so that the last one of a sentence completes it.
TOKENS = re.findall(r"\S+\s", SENTENCE) * SENTENCES
CODE = re.compile(rb"code-([a-z]+)")
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def event(data: bytes) -> bytes:
    """One server-sent event as one chunk."""
    line = b"data: " + data + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(line), line)


def chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    """One piece of a completion."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    told = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "model-a", "choices": [choice]}
    return orjson.dumps(told)


async def stream(writer: asyncio.StreamWriter, stamps: list[float]) -> None:
    """The answer, token by token, on time whatever each costs."""
    writer.write(_HEAD + event(chunk({"role": "assistant", "content": ""})))
    begun = time.monotonic()
    for number, token in enumerate(TOKENS, 1):
        await asyncio.sleep(begun + number / TOKENS_PER_SECOND - time.monotonic())
        stamps.append(time.monotonic())
        writer.write(event(chunk({"content": token})))
    usage = {"prompt_tokens": 100, "completion_tokens": len(TOKENS), "total_tokens": 100 + len(TOKENS)}
    told = {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "model-a",
        "choices": [],
        "usage": usage,
    }
    writer.write(event(chunk({}, "stop")) + event(orjson.dumps(told)) + event(b"[DONE]") + b"0\r\n\r\n")
    await writer.drain()


async def main() -> None:
    """Serve until killed; says ``ready``, then the port."""
    stamps: dict[bytes, list[float]] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", head.lower())
                body = await reader.readexactly(int(length[1])) if length else b""
                if head.startswith(b"GET /stamps/"):
                    told = orjson.dumps(stamps.pop(head.split()[1][8:], []))
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(told), told))
                else:
                    await stream(writer, stamps.setdefault(CODE.findall(body)[-1], []))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20)
    sys.stdout.write(f"ready\n{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
