namespace Lb;

/// <summary>One rule of whom a gateway lets in (HAProxy <c>tcp-request connection</c>). The first rule that fits decides. Not thread-safe: filled once, then read.</summary>
public sealed class AccessRuleOptions
{
    /// <summary>What becomes of a client that the rule fits. Default <see cref="AccessAction.Allow"/>.</summary>
    public AccessAction Action { get; set; }

    /// <summary>Networks (CIDR) and addresses that the rule fits; with none here and no <see cref="FromFile"/> it fits everybody.</summary>
    public IList<string> From { get; } = [];

    /// <summary>File of further networks, one a line (HAProxy <c>-f</c>), read again when it changes; default none.</summary>
    public string? FromFile { get; set; }
}

/// <summary>What becomes of a client at the door of a gateway.</summary>
public enum AccessAction
{
    /// <summary>It is let in; no further rule is asked (HAProxy <c>accept</c>).</summary>
    Allow,

    /// <summary>The same as <see cref="Reject"/>: without a protocol there is nothing to say.</summary>
    Deny,

    /// <summary>Its connection is reset (HAProxy <c>reject</c>).</summary>
    Reject,

    /// <summary>
    /// Its connection is forgotten without a word, so that it waits for its own time-out (HAProxy <c>silent-drop</c>). Linux with CAP_NET_ADMIN; without that
    /// right the reset is sent with a time to live of 1 and dies at the first router; elsewhere it is reset.
    /// </summary>
    SilentDrop,

    /// <summary>It is held for <see cref="GatewayOptions.TarpitTimeout"/> without being read, then reset (HAProxy <c>tarpit</c>).</summary>
    Tarpit,

    /// <summary>It is held until it may come in, at most for <see cref="GatewayOptions.TarpitTimeout"/>. Only for <see cref="PerSourceOptions.Action"/>.</summary>
    Delay,
}

/// <summary>Limits for each client address (HAProxy <c>stick-table</c> with <c>conn_cur</c> and <c>conn_rate</c>). Not thread-safe: filled once, then read.</summary>
public sealed class PerSourceOptions
{
    /// <summary>Most connections of a source at a time, 0 to 1 000 000; default 0 = no limit.</summary>
    [Within(0, 1_000_000)]
    public int MaxConnections { get; set; }

    /// <summary>Most new connections of a source in any <see cref="Period"/>, 0 to 1 000 000; default 0 = no limit. Those turned away don't count.</summary>
    [Within(0, 1_000_000)]
    public int Rate { get; set; }

    /// <summary>The period of <see cref="Rate"/>, a window that slides; 1 ms to 24 days, default 1 s.</summary>
    [Interval]
    public TimeSpan Period { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Leading bits of an IPv4 address that make a source, 0 to 32; default 32 = each address.</summary>
    [Within(0, 32)]
    public int Mask { get; set; } = 32;

    /// <summary>Leading bits of an IPv6 address that make a source, 0 to 128; default 64 = what one client commonly has.</summary>
    [Within(0, 128)]
    public int Mask6 { get; set; } = 64;

    /// <summary>What becomes of a client that is too much; default <see cref="AccessAction.Reject"/>, not <see cref="AccessAction.Allow"/>.</summary>
    public AccessAction Action { get; set; } = AccessAction.Reject;

    /// <summary>Most sources remembered, 1 to 10 000 000, some 60 bytes each; default 100 000. The one that has been idle for the longest time makes room.</summary>
    [Within(1, 10_000_000)]
    public int TableSize { get; set; } = 100_000;
}

/// <summary>The place in the queue of those who come by a gateway (HAProxy <c>set-priority-class</c>, <c>set-priority-offset</c>).</summary>
public sealed class QueuePriorityOptions
{
    /// <summary>A lower class is served before every higher one, -2047 to 2047; default 0.</summary>
    [Within(-2047, 2047)]
    public int Class { get; set; }

    /// <summary>Within its class a caller counts as having come so much later, or earlier when negative; -524287 ms to 524287 ms, default 0.</summary>
    public TimeSpan Offset { get; set; }
}
