namespace Lb.Vrrp;

/// <summary>What an election needs to know. Immutable.</summary>
internal sealed record VrrpSettings
{
    /// <summary>Version of the protocol, 2 or 3: its skew is in seconds or in intervals, and only version 3 learns the interval.</summary>
    public int Version { get; init; } = 3;

    /// <summary>Adverts of version 2 count beside those of version 3 (RFC 9568 8.4).</summary>
    public bool AlsoVersion2 { get; init; }

    /// <summary>Priority as configured, 1 to 255.</summary>
    public byte Priority { get; init; } = 100;

    /// <summary>Time between adverts, above 0.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Adverts that may be missing, 1 to 100.</summary>
    public int DownTimerAdverts { get; init; } = 3;

    /// <summary>Takes over from a node of lower priority.</summary>
    public bool Preempt { get; init; } = true;

    /// <summary>How long a node of lower priority must have been heard before it is taken over from.</summary>
    public TimeSpan PreemptDelay { get; init; }

    /// <summary>How long after the start nothing is sent or missed.</summary>
    public TimeSpan StartupDelay { get; init; }

    /// <summary>State to start in.</summary>
    public RouterStart Start { get; init; }

    /// <summary>Goes on answering after resigning, until the successor is heard.</summary>
    public bool Handover { get; init; } = true;

    /// <summary>Answers an advert of lower priority at once with an own one (RFC 9568 6.4.3; keepalived <c>vrrp_lower_prio_no_advert</c> false).</summary>
    public bool LowerPriorityAdvert { get; init; } = true;

    /// <summary>The least time between two answers to adverts of lower priority or resignations: a quarter of the interval, at most 250 ms.</summary>
    public TimeSpan AnswerSpacing => Interval / 4 < TimeSpan.FromMilliseconds(250) ? Interval / 4 : TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// The longest interval that is learned: four times the own one, at least 1 s. A forged advert of 40.95 s would otherwise keep a router of 1 s from
    /// seeing a dead Active for 123 s; so it is 12.
    /// </summary>
    public TimeSpan LongestLearned => Interval * 4 > TimeSpan.FromSeconds(1) ? Interval * 4 : TimeSpan.FromSeconds(1);
}
