"""The questions that may be asked of a host, and the shape of each answer.

Owns the vocabulary of the seam: plain values that can be written to a session file and read back.
May not know how a question is answered, what its answer means, or which gateway it is asked for.

Every question is read-only by its nature, carries its own deadline in seconds and its own size limit in bytes.
"""

from __future__ import annotations

from wizard.host.questions.asking import HERE, Answer, Ask, NotAnswered, View, Why
from wizard.host.questions.files import (
    DirList,
    FileRead,
    FilesRead,
    FileStat,
    ListDir,
    LogTail,
    NamedProblem,
    PathSteps,
    ReadFile,
    ReadGlob,
    ReadLog,
    StampKind,
    Stat,
    WalkPath,
)
from wizard.host.questions.machine import Clock, Identity, Me, Ran, Run, Told
from wizard.host.questions.names import AskDns, DnsAnswered, Resolve, Resolved
from wizard.host.questions.network import (
    BODY_DEFECTS,
    Certificate,
    Connect,
    Connected,
    ConnectFailed,
    NotReplied,
    Protocol,
    Replied,
    Request,
    TlsFailed,
    TlsHandshake,
    TlsSettings,
    TlsShaken,
)
from wizard.host.questions.processes import Listening, Process, Processes, ProcessTable, Sockets, SocketTable

__all__ = [
    "BODY_DEFECTS",
    "HERE",
    "Answer",
    "AnyAnswer",
    "AnyQuestion",
    "Ask",
    "AskDns",
    "Certificate",
    "Clock",
    "Connect",
    "ConnectFailed",
    "Connected",
    "DirList",
    "DnsAnswered",
    "FileRead",
    "FileStat",
    "FilesRead",
    "Identity",
    "ListDir",
    "Listening",
    "LogTail",
    "Me",
    "NamedProblem",
    "NotAnswered",
    "NotReplied",
    "PathSteps",
    "Process",
    "ProcessTable",
    "Processes",
    "Protocol",
    "Ran",
    "ReadFile",
    "ReadGlob",
    "ReadLog",
    "Replied",
    "Request",
    "Resolve",
    "Resolved",
    "Run",
    "SocketTable",
    "Sockets",
    "StampKind",
    "Stat",
    "TlsFailed",
    "TlsHandshake",
    "TlsSettings",
    "TlsShaken",
    "Told",
    "View",
    "WalkPath",
    "Why",
]

AnyQuestion = (
    Run
    | Stat
    | WalkPath
    | ReadFile
    | ReadGlob
    | ListDir
    | ReadLog
    | Sockets
    | Processes
    | Resolve
    | AskDns
    | Connect
    | TlsHandshake
    | Request
    | Clock
    | Identity
)
AnyAnswer = (
    Ran
    | FileStat
    | PathSteps
    | FileRead
    | FilesRead
    | DirList
    | LogTail
    | SocketTable
    | ProcessTable
    | Resolved
    | DnsAnswered
    | Connected
    | ConnectFailed
    | TlsShaken
    | TlsFailed
    | Replied
    | NotReplied
    | Told
    | Me
    | NotAnswered
)
