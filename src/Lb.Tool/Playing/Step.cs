namespace Lb.Tool;

/// <summary>One line of a script.</summary>
internal abstract record Step
{
    /// <summary>A blank line or a comment.</summary>
    public sealed record Nothing : Step;

    /// <summary>A line that can't be understood.</summary>
    public sealed record Bad(string Message) : Step;

    /// <summary><c>pick …</c></summary>
    public sealed record Pick(PickContext Context) : Step;

    /// <summary><c>explain …</c></summary>
    public sealed record Explain(PickContext Context) : Step;

    /// <summary><c>end N …</c></summary>
    public sealed record End(int Number, LeaseOutcome Outcome, TimeSpan? Latency) : Step;

    /// <summary><c>up NAME</c>, <c>down NAME</c></summary>
    public sealed record Health(string Name, ServerHealth Value) : Step;

    /// <summary><c>ready NAME</c>, <c>drain NAME</c>, <c>maint NAME</c></summary>
    public sealed record Admin(string Name, ServerAdmin Value) : Step;

    /// <summary><c>weight NAME W</c></summary>
    public sealed record SetWeight(string Name, int Value) : Step;

    /// <summary><c>add NAME ADDRESS [weight=W]</c></summary>
    public sealed record Add(string Name, string Address, int Weight) : Step;

    /// <summary><c>remove NAME</c></summary>
    public sealed record Remove(string Name) : Step;

    /// <summary><c>advance TIME</c></summary>
    public sealed record Advance(TimeSpan Time) : Step;

    /// <summary><c>show</c></summary>
    public sealed record Show : Step;
}
