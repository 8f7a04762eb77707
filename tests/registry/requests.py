# SPDX-License-Identifier: Apache-2.0
"""What a registry was asked: the evidence for tests that count requests."""

import re
from dataclasses import dataclass, field


@dataclass
class Request:
    method: str
    path: str  # with the query
    status: int = 0  # 0 while there is no answer
    headers: dict = field(default_factory=dict)  # names in lower case
    sent: int = 0  # bytes of the request's body
    received: int = 0  # bytes of the answer's body
    protocol: str = "HTTP/1.1"

    def __repr__(self):
        return f"{self.method} {self.path} -> {self.status}"


class Requests(list):
    """Requests, to be picked by method and by a pattern of the path."""

    def matching(self, method=None, path=None):
        return Requests(r for r in self
                        if (method is None or r.method == method)
                        and (path is None or re.search(path, r.path)))

    def count(self, method=None, path=None):
        return len(self.matching(method, path))

    def received(self, method=None, path=None):
        """Bytes of the answers' bodies."""
        return sum(r.received for r in self.matching(method, path))
