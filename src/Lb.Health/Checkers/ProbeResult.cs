namespace Lb.Health;

/// <summary>How one check ended.</summary>
/// <param name="Status">Kind of result, by the layer that decided it.</param>
/// <param name="Code">The protocol's own code (an HTTP status), or 0.</param>
/// <param name="Text">A short explanation, or what the server said; may be empty. Shown to people with control characters taken out and cut to 128 characters.</param>
public readonly record struct ProbeResult(CheckStatus Status, int Code = 0, string Text = "")
{
    /// <summary>What the server asks for beside that; null: nothing, as most checks.</summary>
    public ProbeAdvice? Advice { get; init; }

    /// <summary>True when the status is one of the passing ones.</summary>
    public bool Passed => Status is CheckStatus.Layer4Ok or CheckStatus.Layer6Ok or CheckStatus.Layer7Ok or CheckStatus.Layer7OkConditional;
}
