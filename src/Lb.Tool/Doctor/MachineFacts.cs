namespace Lb.Tool;

/// <summary>What was read of this machine. Judged by code that reads nothing itself.</summary>
internal sealed record MachineFacts
{
    /// <summary>Effective capabilities of this process, as a set of bits (<c>CapEff</c>).</summary>
    public ulong Capabilities { get; init; }

    /// <summary>Groups of this process, its own first.</summary>
    public IReadOnlyList<long> Groups { get; init; } = [];

    /// <summary>Most open files (soft limit); null = not known or none.</summary>
    public long? OpenFiles { get; init; }

    /// <summary>Highest real-time priority that may be taken without a capability (<c>RLIMIT_RTPRIO</c>).</summary>
    public long RealTimePriority { get; init; }

    /// <summary>The network interfaces by name.</summary>
    public IReadOnlyDictionary<string, DeviceFacts> Devices { get; init; } = new Dictionary<string, DeviceFacts>(StringComparer.Ordinal);

    /// <summary>A setting below <c>/proc/sys</c> as text; null = this kernel does not have it.</summary>
    public Func<string, string?> Setting { get; init; } = static _ => null;

    /// <summary>Settings of the network may be written.</summary>
    public bool CanWriteSettings { get; init; } = true;

    /// <summary>The firewalls that were read; empty = no tool is installed.</summary>
    public IReadOnlyList<FirewallFacts> Firewalls { get; init; } = [];

    /// <summary>The kernel keeps its clock in step with another (<c>adjtimex</c>); null = it does not say.</summary>
    public bool? ClockIsSynchronized { get; init; }

    /// <summary>Why io_uring can't be used; null = it can.</summary>
    public string? RingError { get; init; }

    /// <summary>A setting that is a number; null = there is none.</summary>
    public long? Number(string path) => long.TryParse(Setting(path)?.Trim(), out long number) ? number : null;
}

/// <summary>A network interface.</summary>
/// <param name="IsUp">Its link is up.</param>
/// <param name="Addresses">Its addresses with their networks.</param>
internal sealed record DeviceFacts(bool IsUp, IReadOnlyList<AddressPrefix> Addresses);

/// <summary>What a firewall tool has told.</summary>
/// <param name="Tool">Its command line.</param>
/// <param name="Rules">The rules; null = they could not be read.</param>
/// <param name="Error">Why not.</param>
internal sealed record FirewallFacts(string Tool, string? Rules, string? Error = null);
