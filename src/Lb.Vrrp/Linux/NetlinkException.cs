using System.Runtime.InteropServices;

namespace Lb.Vrrp;

/// <summary>The kernel has refused something about addresses or links. The message is for people: what was asked, and the kernel's answer.</summary>
internal sealed class NetlinkException : IOException
{
    /// <summary>Makes it.</summary>
    /// <param name="what">What was asked: <c>adding 192.0.2.1/24 to eth0</c>.</param>
    /// <param name="errno">The kernel's error number, positive.</param>
    /// <param name="detail">The kernel's own words (extended acknowledgement), or null.</param>
    /// <param name="capability">What a process that may not do it lacks.</param>
    public NetlinkException(string what, int errno, string? detail = null, string capability = "CAP_NET_ADMIN")
        : base(Describe(what, errno, detail, capability)) => Errno = errno;

    /// <summary>The kernel's error number.</summary>
    public int Errno { get; }

    private static string Describe(string what, int errno, string? detail, string capability)
    {
        string text = $"{what}: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})";
        if (detail is not null) text += $": {detail}";
        return errno == Libc.NetlinkNotPermitted ? $"{text}. The process needs the capability {capability}." : text;
    }
}
