namespace Lb.Vrrp;

/// <summary>Error numbers of Linux and what they mean to a router.</summary>
internal static class Errno
{
    public const int NotPermitted = 1;
    public const int Interrupted = 4;
    public const int NoSuchAddress = 6;
    public const int Again = 11;
    public const int NoMemory = 12;
    public const int Access = 13;
    public const int NoDevice = 19;
    public const int InvalidArgument = 22;
    public const int AddressNotAvailable = 99;
    public const int NetworkDown = 100;
    public const int NetworkUnreachable = 101;
    public const int NoBuffers = 105;
    public const int ConnectionRefused = 111;
    public const int HostUnreachable = 113;

    /// <summary>What became of an advert that the kernel did not take.</summary>
    /// <remarks>
    /// EINVAL: the source the socket is bound to is gone from the interface. EHOSTUNREACH and ECONNREFUSED are news of one unicast peer, not of the link.
    /// </remarks>
    public static VrrpSendResult ToSendResult(int error) => error switch
    {
        NetworkDown or NetworkUnreachable or NoDevice or NoSuchAddress or AddressNotAvailable or InvalidArgument => VrrpSendResult.LinkDown,
        Again or NoBuffers or NoMemory or Interrupted or HostUnreachable or ConnectionRefused => VrrpSendResult.Busy,
        _ => VrrpSendResult.Refused,
    };
}
