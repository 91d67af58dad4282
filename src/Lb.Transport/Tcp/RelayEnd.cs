namespace Lb.Transport;

/// <summary>How a client's connection through a gateway ended, by stage and side.</summary>
public enum RelayEnd
{
    /// <summary>Both sides finished sending.</summary>
    Completed,

    /// <summary>The client went away while it waited in the queue or for a server's connection.</summary>
    ConnectClientGone,

    /// <summary>No server was usable.</summary>
    NoServer,

    /// <summary>Every server was full and so was the queue.</summary>
    QueueFull,

    /// <summary>Every server stayed full for the whole queue time-out.</summary>
    QueueTimeout,

    /// <summary>The last attempt was refused by the server.</summary>
    ConnectRefused,

    /// <summary>The last attempt found no way to the server.</summary>
    ConnectUnreachable,

    /// <summary>The last attempt had no answer within the connect time-out.</summary>
    ConnectTimeout,

    /// <summary>The last attempt failed on this machine: no descriptor, no such source address, an option that may not be set.</summary>
    ConnectLocalError,

    /// <summary>The client reset the connection.</summary>
    ClientReset,

    /// <summary>The client was silent for longer than the client time-out.</summary>
    ClientTimeout,

    /// <summary>The server reset the connection.</summary>
    ServerReset,

    /// <summary>The server was silent for longer than the server time-out.</summary>
    ServerTimeout,

    /// <summary>A fault on this machine in the middle of the relay.</summary>
    LocalError,

    /// <summary>The gateway stopped: the connection was quiet and was closed, or the drain time-out passed.</summary>
    Drained,

    /// <summary>The server went down and its connections were closed (HAProxy's termination code <c>D</c>): <see cref="OnMarkedDown.ShutdownSessions"/>.</summary>
    ServerMarkedDown,

    /// <summary>A main server came up and the connections of backups were closed (code <c>U</c>): <see cref="OnMarkedUp.ShutdownBackupSessions"/>.</summary>
    MainMarkedUp,

    /// <summary>The last attempt found no local port left for a connection to the server: of <see cref="ServerOptions.Source"/>'s range, or of the system's.</summary>
    ConnectNoPort,

    /// <summary>The client's TLS handshake failed, or it did not speak TLS.</summary>
    TlsHandshakeFailed,

    /// <summary>The client's TLS handshake was not done within the handshake time-out.</summary>
    TlsHandshakeTimeout,

    /// <summary>The last attempt found a server, but TLS with it failed: its certificate, most often.</summary>
    ConnectTlsFailed,

    /// <summary>A rule or a limit keeps this client out, by the address that its PROXY header names (<see cref="Gateway.Admission"/>).</summary>
    Denied,

    /// <summary>A proxy of <see cref="AcceptProxyOptions"/> sent no right PROXY header, or only a part of one.</summary>
    ProxyHeaderInvalid,

    /// <summary>A proxy's PROXY header did not come whole within <see cref="AcceptProxyOptions.Timeout"/>.</summary>
    ProxyHeaderTimeout,
}
