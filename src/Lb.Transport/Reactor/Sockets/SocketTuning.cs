using System.Net.Sockets;
using System.Text;

namespace Lb.Transport;

/// <summary>
/// Socket options as one list, worked out once from a gateway's, pool's or server's options and set on every socket of theirs. What is set on a listening
/// socket is inherited by what it accepts, so clients' connections cost nothing. Immutable; any thread. Numbers are those of Linux on x64 and arm64.
/// </summary>
internal sealed class SocketTuning
{
    private const int KeepAlive = 9;
    private const int BindToDevice = 25;
    private const int Mark = 36;
    private const int MaxSegment = 2;
    private const int KeepAliveIdle = 4;
    private const int KeepAliveInterval = 5;
    private const int KeepAliveCount = 6;
    private const int DeferAccept = 9;
    private const int UserTimeout = 18;
    private const int FastOpen = 23;
    private const int FastOpenConnect = 30;
    private const int LevelV4 = 0;
    private const int TypeOfService = 1;
    private const int FreebindV4 = 15;
    private const int TransparentV4 = 19;
    private const int TrafficClass = 67;
    private const int TransparentV6 = 75;
    private const int FreebindV6 = 78;

    private readonly List<Setting> _settings = [];
    private readonly KeepAliveOptions? _keepAlive;

    private SocketTuning(TcpOptions tcp, string? device)
    {
        NoDelay = tcp.NoDelay;
        _keepAlive = tcp.KeepAlive;

        // Before the marks: binding to a device needs no right as long as the socket has none.
        if (device is not null) _settings.Add(new("Interface", Libc.LevelSocket, BindToDevice, 0, Encoding.ASCII.GetBytes(device + "\0")));
        if (tcp.NoDelay) Add("Tcp:NoDelay", Libc.LevelTcp, Libc.TcpNoDelay, 1);
        if (_keepAlive is not null)
        {
            Add("Tcp:KeepAlive", Libc.LevelSocket, KeepAlive, 1);
            Add("Tcp:KeepAlive:Idle", Libc.LevelTcp, KeepAliveIdle, Seconds(_keepAlive.Idle));
            Add("Tcp:KeepAlive:Interval", Libc.LevelTcp, KeepAliveInterval, Seconds(_keepAlive.Interval));
            Add("Tcp:KeepAlive:Count", Libc.LevelTcp, KeepAliveCount, _keepAlive.Count);
        }

        Add("Tcp:UserTimeout", Libc.LevelTcp, UserTimeout, (int?)tcp.UserTimeout?.TotalMilliseconds);
        Add("Tcp:MaxSegment", Libc.LevelTcp, MaxSegment, tcp.MaxSegment);

        // A socket of both families needs both.
        Add("Tcp:Dscp", LevelV4, TypeOfService, tcp.Dscp << 2);
        Add("Tcp:Dscp", Libc.LevelV6, TrafficClass, tcp.Dscp << 2);
        Add("Tcp:Mark", Libc.LevelSocket, Mark, tcp.Mark);
    }

    /// <summary>What sockets have whose owner has said nothing.</summary>
    public static SocketTuning Default { get; } = new(new ConnectTcpOptions(), null);

    /// <summary>Small writes go out at once.</summary>
    public bool NoDelay { get; }

    /// <summary>Of a gateway's listening sockets.</summary>
    public static SocketTuning Of(GatewayOptions options)
    {
        SocketTuning tuning = new(options.Tcp, options.Interface);
        if (options.Freebind) tuning.AddBoth("Freebind", FreebindV4, FreebindV6);
        if (options.Transparent) tuning.AddBoth("Transparent", TransparentV4, TransparentV6);
        if (options.Tcp.FastOpen > 0) tuning.Add("Tcp:FastOpen", Libc.LevelTcp, FastOpen, options.Tcp.FastOpen);
        tuning.Add("Tcp:DeferAccept", Libc.LevelTcp, DeferAccept, Seconds(options.Tcp.DeferAccept));
        return tuning;
    }

    /// <summary>Of connections to a server.</summary>
    public static SocketTuning Of(ConnectTcpOptions tcp, string? device, bool isTransparent)
    {
        SocketTuning tuning = new(tcp, device);
        if (isTransparent) tuning.AddBoth("Source", TransparentV4, TransparentV6);
        if (tcp.FastOpen) tuning.Add("Tcp:FastOpen", Libc.LevelTcp, FastOpenConnect, 1);
        return tuning;
    }

    /// <summary>Sets them on a native socket. Linux.</summary>
    /// <param name="descriptor">A TCP or UDP socket that is neither bound nor connected.</param>
    /// <param name="isV6">Whether it is of IPv6.</param>
    /// <param name="failed">The option that could not be set.</param>
    /// <param name="isDatagram">It is of UDP: without those of TCP.</param>
    /// <returns>0, or the error number.</returns>
    public unsafe int Apply(int descriptor, bool isV6, out string? failed, bool isDatagram = false)
    {
        foreach (Setting setting in _settings)
        {
            if (!isV6 && setting.Level == Libc.LevelV6 || isV6 && setting.IsV4Only || isDatagram && setting.Level == Libc.LevelTcp) continue;
            int result;
            if (setting.Text is null) result = Libc.SetOption(descriptor, setting.Level, setting.Option, setting.Number);
            else fixed (byte* text = setting.Text) result = Libc.SetOption(descriptor, setting.Level, setting.Option, text, (uint)setting.Text.Length);
            if (result == 0) continue;
            failed = setting.Name;
            return Libc.Errno;
        }

        failed = null;
        return 0;
    }

    /// <summary>Sets them on a socket that is made for it and goes away again: does this machine take them? Linux.</summary>
    /// <param name="failed">The option that could not be set.</param>
    /// <returns>0, or the error number.</returns>
    public int Try(out string? failed)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        return Apply((int)socket.Handle, isV6: false, out failed);
    }

    /// <summary>Sets them on a socket of the framework: on Linux all, elsewhere what every system has.</summary>
    /// <exception cref="SocketException">One could not be set; its message names it.</exception>
    public void Apply(Socket socket)
    {
        if (OperatingSystem.IsLinux())
        {
            int error = Apply((int)socket.Handle, socket.AddressFamily == AddressFamily.InterNetworkV6, out string? failed, socket.SocketType == SocketType.Dgram);
            if (error != 0) throw Errno.ToException(error, failed!);
            return;
        }

        socket.NoDelay = NoDelay;
        if (_keepAlive is null) return;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        SetTcp(SocketOptionName.TcpKeepAliveTime, Seconds(_keepAlive.Idle));
        SetTcp(SocketOptionName.TcpKeepAliveInterval, Seconds(_keepAlive.Interval));
        SetTcp(SocketOptionName.TcpKeepAliveRetryCount, _keepAlive.Count);

        void SetTcp(SocketOptionName name, int? value)
        {
            if (value is { } number) socket.SetSocketOption(SocketOptionLevel.Tcp, name, number);
        }
    }

    private static int? Seconds(TimeSpan? time) => (int?)time?.TotalSeconds;

    private void Add(string name, int level, int option, int? value)
    {
        if (value is { } number) _settings.Add(new(name, level, option, number, null));
    }

    private void AddBoth(string name, int v4, int v6)
    {
        _settings.Add(new(name, LevelV4, v4, 1, null, IsV4Only: true));
        Add(name, Libc.LevelV6, v6, 1);
    }

    private readonly record struct Setting(string Name, int Level, int Option, int Number, byte[]? Text, bool IsV4Only = false);
}
