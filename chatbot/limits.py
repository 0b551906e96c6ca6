"""How much one customer, one address and one answer may take of the assistant, and how long things may last."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Every number that bounds the assistant; the defaults are those of the protocol."""

    questions_per_minute: int = 12
    questions_per_day: int = 60
    persons_per_day: int = 3
    takes_per_day: int = 100
    sockets_per_conversation: int = 3
    sockets_per_address: int = 20
    #: In a minute, and in an hour, of one address; 0 is no limit.
    handshakes_per_minute: int = 120
    fresh_links_per_address: int = 20
    reports_per_address: int = 20
    #: What our script on a shop's pages may ask: in a minute of one address, and what makes the shop itself be asked.
    restores_per_minute: int = 30
    contacts_per_address: int = 20
    contacts_per_minute: int = 60
    frames_per_second: float = 5
    frame_burst: int = 30
    bad_frames: int = 3
    frames_before_welcome: int = 3
    hello_seconds: float = 5
    send_seconds: float = 10
    idle_seconds: float = 1800
    database_seconds: float = 5
    #: A session token lives 15 minutes; a fresh one is sent when fewer seconds than this are left.
    renew_seconds: float = 300

    turn_lease_seconds: float = 10
    turn_renew_seconds: float = 3
    turn_seconds: float = 60
    #: What a customer waits for a model at most: from the question to the first text, and from one to the next.
    first_text_seconds: float = 10
    next_text_seconds: float = 10
    #: An answer ends when no socket has been in its conversation for so long; each node says so this often.
    unwatched_seconds: float = 60
    touch_seconds: float = 20
    flush_seconds: float = 1
    flush_bytes: int = 1024
    #: How long the pieces of a ready answer may take in all, and the pause between two at most.
    stream_seconds: float = 1.0
    piece_seconds: float = 0.03
    drain_seconds: float = 15

    watch_seconds: float = 5
    #: How often the database is asked instead while Redis is away.
    poll_seconds: float = 1
    redis_seconds: float = 0.5
    #: How long a count may take before the socket is let in by this node's own.
    counter_seconds: float = 0.05
    sweep_turns: int = 20
