namespace Lb.Transport;

/// <summary>How a client's session through a UDP gateway ended.</summary>
public enum UdpEnd
{
    /// <summary>All datagrams that were to be sent and all answers that were expected have passed: <see cref="GatewayOptions.Responses"/>, <see cref="GatewayOptions.Requests"/>.</summary>
    Completed,

    /// <summary>Neither side sent anything for <see cref="GatewayOptions.IdleTimeout"/>; no answer was owed. The ordinary end where no number of answers is known.</summary>
    Idle,

    /// <summary>The same, and the server owed an answer.</summary>
    ServerTimeout,

    /// <summary>The server could not be reached (ICMP), and the client sent nothing more that could have gone to another one.</summary>
    ServerUnreachable,

    /// <summary>As many sessions as there may be: this one had been silent for longest and made room.</summary>
    Evicted,

    /// <summary>The server went down and its sessions were closed: <see cref="OnMarkedDown.ShutdownSessions"/>.</summary>
    ServerMarkedDown,

    /// <summary>A main server came up and the sessions of backups were closed: <see cref="OnMarkedUp.ShutdownBackupSessions"/>.</summary>
    MainMarkedUp,

    /// <summary>The gateway stopped: the session was quiet, or the drain time-out passed, or a reload took the address away.</summary>
    Drained,

    /// <summary>No descriptor or port was left for the socket towards the server.</summary>
    LocalError,
}
