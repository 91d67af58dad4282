namespace Lb.Transport;

/// <summary>Why a datagram went no further.</summary>
public enum UdpDrop
{
    /// <summary>No server was usable.</summary>
    NoServer,

    /// <summary>Every server had as many sessions as it takes. Datagrams do not wait in the pool's queue.</summary>
    ServersFull,

    /// <summary>The gateway stops and takes no new client in.</summary>
    Draining,

    /// <summary>A new client, as many sessions as there may be, and none on this loop that could go.</summary>
    SessionLimit,

    /// <summary>No descriptor, port or address was left for the socket towards the server.</summary>
    NoSocket,

    /// <summary>The server can't be reached, and no attempt was left to send it to another one.</summary>
    ServerUnreachable,

    /// <summary>Found the queue of the listening socket full: this process or this machine is too slow (Linux; the managed driver is not told).</summary>
    ReceiveQueueFull,

    /// <summary>Found the buffer of a sending socket or of the network card full.</summary>
    SendQueueFull,

    /// <summary>Did not fit the buffer that it was received in; not sent on.</summary>
    Truncated,

    /// <summary>Too large for the way it was to go.</summary>
    TooLarge,

    /// <summary>The client can't be reached, or the system refused to send, for example by a rule of the firewall.</summary>
    SendFailed,

    /// <summary>A rule or a limit of its source keeps the client out (<see cref="Gateway.Admission"/>).</summary>
    Denied,
}
