namespace Lb.Tool;

/// <summary>How bad a finding is.</summary>
internal enum FindingLevel
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>It will run; something is missing, or could not be looked at.</summary>
    Warn,

    /// <summary>It will not run, or not do what it is for.</summary>
    Fail,
}

/// <summary>What one check has found.</summary>
/// <param name="Level">How bad it is.</param>
/// <param name="Text">What was found.</param>
/// <param name="Cure">The line that mends it; null = none is needed.</param>
internal sealed record Finding(FindingLevel Level, string Text, string? Cure = null)
{
    public static Finding Ok(string text) => new(FindingLevel.Ok, text);

    public static Finding Warn(string text, string? cure = null) => new(FindingLevel.Warn, text, cure);

    public static Finding Fail(string text, string cure) => new(FindingLevel.Fail, text, cure);

    /// <summary>One line, and a second one with the cure.</summary>
    public override string ToString() => $"{Level switch { FindingLevel.Ok => "OK  ", FindingLevel.Warn => "WARN", _ => "FAIL" }}  {Text}{(Cure is null ? "" : $"\n      -> {Cure}")}";
}
