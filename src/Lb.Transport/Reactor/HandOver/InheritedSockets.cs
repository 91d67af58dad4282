using System.Globalization;
using System.Net;

namespace Lb.Transport;

/// <summary>
/// Listening sockets that were made before this process: by systemd (socket activation), or by the process that it takes over from. A gateway takes those that
/// it listens on; nobody binds what is here already. Any thread.
/// </summary>
internal sealed class InheritedSockets
{
    // Where systemd begins: after the three standard ones.
    private const int First = 3;

    private static readonly Lazy<InheritedSockets> s_ofProcess = new(static () =>
    {
        InheritedSockets sockets = new();
        if (OperatingSystem.IsLinux()) sockets.AddActivated(Environment.GetEnvironmentVariable, First);

        // Programs that this one starts must not believe that they are meant.
        foreach (string name in (string[])["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) Environment.SetEnvironmentVariable(name, null);
        return sockets;
    });

    private readonly Lock _lock = new();
    private readonly List<Entry> _entries = [];

    /// <summary>What systemd has given to this process. One for the process: a descriptor can be taken once.</summary>
    public static InheritedSockets OfProcess => s_ofProcess.Value;

    /// <summary>Reads what systemd says (sd_listen_fds(3)); nothing when another process is meant.</summary>
    /// <param name="environment">Reads a variable.</param>
    /// <param name="first">The first descriptor.</param>
    public void AddActivated(Func<string, string?> environment, int first)
    {
        if (environment("LISTEN_PID") != Environment.ProcessId.ToString(CultureInfo.InvariantCulture)) return;
        if (!int.TryParse(environment("LISTEN_FDS"), NumberStyles.None, CultureInfo.InvariantCulture, out int count)) return;
        string[] names = (environment("LISTEN_FDNAMES") ?? "").Split(':');
        for (int i = 0; i < count; i++) Add(first + i, i < names.Length ? names[i] : "");
    }

    /// <summary>Takes a descriptor in; one that is neither a listening stream socket nor a bound UDP socket is left alone.</summary>
    /// <returns>False: it is none.</returns>
    public bool Add(int descriptor, string name)
    {
        if (InheritedSocket.ListensOn(descriptor) is not { } endPoint) return false;
        InheritedSocket.Prepare(descriptor);
        lock (_lock) _entries.Add(new Entry(descriptor, endPoint, name, InheritedSocket.IsDatagram(descriptor)));
        return true;
    }

    /// <summary>Whether there is one for an address.</summary>
    public bool Has(ListenAddress address)
    {
        lock (_lock) return _entries.Exists(e => e.IsFor(address));
    }

    /// <summary>Those for an address; from now on they are the caller's.</summary>
    public IReadOnlyList<Entry> Take(ListenAddress address)
    {
        lock (_lock)
        {
            Entry[] taken = [.. _entries.Where(e => e.IsFor(address))];
            _entries.RemoveAll(e => taken.Contains(e));
            return taken;
        }
    }

    /// <summary>Closes those that nobody has taken.</summary>
    /// <returns>Where they listen.</returns>
    public IReadOnlyList<EndPoint> CloseRest()
    {
        lock (_lock)
        {
            EndPoint[] rest = [.. _entries.Select(static e => e.EndPoint)];
            foreach (Entry entry in _entries) _ = Libc.Close(entry.Descriptor);
            _entries.Clear();
            return rest;
        }
    }

    /// <summary>The names of those that are left, for messages.</summary>
    public string Names()
    {
        lock (_lock) return _entries.Count == 0 ? "none" : string.Join(", ", _entries.Select(static e => e.Name.Length == 0 ? $"{e.EndPoint}" : $"{e.Name} on {e.EndPoint}"));
    }

    /// <summary>One of them.</summary>
    /// <param name="Descriptor">The socket.</param>
    /// <param name="EndPoint">Where it listens.</param>
    /// <param name="Name">Its name (systemd's <c>FileDescriptorName</c>), or empty.</param>
    /// <param name="IsDatagram">For UDP.</param>
    internal sealed record Entry(int Descriptor, EndPoint EndPoint, string Name, bool IsDatagram)
    {
        public bool IsFor(ListenAddress address) => address.IsDatagram == IsDatagram && address.EndPoint switch
        {
            InheritedEndPoint inherited => Name.Equals(inherited.Name, StringComparison.Ordinal),
            IPEndPoint { Port: 0 } => false,
            IPEndPoint ip when ip.Address.Equals(IPAddress.IPv6Any) => EndPoint.Equals(ip) && InheritedSocket.IsV6Only(Descriptor) != address.DualMode,
            _ => EndPoint.Equals(address.EndPoint),
        };
    }
}

/// <summary>A listening socket that was given to this process, by its name: <c>fd:web</c>.</summary>
/// <param name="name">The name.</param>
internal sealed class InheritedEndPoint(string name) : EndPoint
{
    /// <summary>The name, as systemd's <c>FileDescriptorName</c> says it.</summary>
    public string Name => name;

    public override bool Equals(object? obj) => obj is InheritedEndPoint other && other.Name == name;

    public override int GetHashCode() => name.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => $"fd:{name}";
}
