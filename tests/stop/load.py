"""Clients that ask as fast as they are answered, over connections that they keep and over one for each request."""

import asyncio

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Load:
    """So many clients of a server, half of them of each kind, on the running event loop; and what became of their requests."""

    def __init__(self, host, port, clients):
        self.address = host, port
        self.served = self.lost = self.refused = 0
        self.is_over = False
        kinds = self.fresh_connections, self.kept_connections
        self.tasks = [asyncio.create_task(kinds[number % 2]()) for number in range(clients)]

    async def end(self):
        """Waits for the answers that are due."""
        self.is_over = True
        await asyncio.gather(*self.tasks)

    def count(self, is_served):
        if is_served:
            self.served += 1
        else:
            self.lost += 1

    async def connect(self):
        try:
            return await asyncio.wait_for(asyncio.open_connection(*self.address), 5)
        except (OSError, asyncio.TimeoutError):
            self.refused += 1
            await asyncio.sleep(0.05)
            return None

    async def fresh_connections(self):
        while not self.is_over:
            streams = await self.connect()
            if streams:
                self.count(await ask(*streams) == "whole")
                streams[1].close()

    async def kept_connections(self):
        streams, is_kept = None, False
        while not self.is_over:
            if streams is None:
                streams, is_kept = await self.connect(), False
                continue
            outcome = await ask(*streams)
            if outcome == "whole" or not is_kept or outcome == "part":
                self.count(outcome == "whole")
            is_kept = outcome == "whole"
            if outcome != "whole" or streams[0].at_eof():
                streams[1].close()
                streams = None
        if streams:
            streams[1].close()


async def ask(reader, writer):
    """Whether an answer came whole, in part, or not at all."""
    head = b""
    try:
        writer.write(REQUEST)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
        await asyncio.wait_for(reader.readexactly(length), 10)
        return "whole"
    except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as error:
        return "part" if head or getattr(error, "partial", b"") else "none"

