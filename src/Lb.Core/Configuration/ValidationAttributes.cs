using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace Lb;

/// <summary>A check whose message names the configuration path and the value, as <c>Lb:Pools:web:Servers:0:Weight = '300': must be 0 to 256</c>.</summary>
internal abstract class RuleAttribute : ValidationAttribute
{
    protected override ValidationResult? IsValid(object? value, ValidationContext validationContext)
    {
        if (value is null || Accepts(value)) return ValidationResult.Success;

        // The generated validator passes "<path>.<member>" as the display name; configuration paths have colons.
        string member = validationContext.MemberName ?? "";
        string name = validationContext.DisplayName;
        string path = name.EndsWith("." + member, StringComparison.Ordinal) ? $"{name[..^(member.Length + 1)]}:{member}" : name;
        string text = value is TimeSpan time ? Durations.Format(time) : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        return new ValidationResult(new ConfigurationError(path, text, Requirement).Pack());
    }

    protected abstract bool Accepts(object value);

    protected abstract string Requirement { get; }
}

/// <summary>An integer between two bounds, both allowed; null passes.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class WithinAttribute(int minimum, int maximum) : RuleAttribute
{
    /// <summary>The smallest value allowed.</summary>
    public int Minimum { get; } = minimum;

    /// <summary>The largest value allowed.</summary>
    public int Maximum { get; } = maximum;

    protected override bool Accepts(object value) => value is int number && number >= Minimum && number <= Maximum;

    protected override string Requirement => string.Create(CultureInfo.InvariantCulture, $"must be {Minimum} to {Maximum}");
}

/// <summary>A duration above zero and at most 24 days (what timers take); null passes.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class PositiveAttribute : RuleAttribute
{
    internal static readonly TimeSpan Longest = TimeSpan.FromDays(24);

    protected override bool Accepts(object value) => value is TimeSpan time && time > TimeSpan.Zero && time <= Longest;

    protected override string Requirement => "must be a duration above 0 and at most 24d";
}

/// <summary>A duration of 1 to 32767 whole seconds, as the kernel takes it; null passes.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class WholeSecondsAttribute : RuleAttribute
{
    protected override bool Accepts(object value) => value is TimeSpan { TotalSeconds: >= 1 and <= short.MaxValue } time && time.Ticks % TimeSpan.TicksPerSecond == 0;

    protected override string Requirement => "must be 1 to 32767 whole seconds";
}

/// <summary>A duration from one millisecond, which is what timers can tell apart (HAProxy's least, too), to 24 days; null passes.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class IntervalAttribute : RuleAttribute
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    protected override bool Accepts(object value) => value is TimeSpan time && time >= Shortest && time <= PositiveAttribute.Longest;

    protected override string Requirement => "must be a duration of 1ms to 24d";
}

/// <summary>A duration of zero or more and at most 24 days; null passes.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class NotNegativeAttribute : RuleAttribute
{
    protected override bool Accepts(object value) => value is TimeSpan time && time >= TimeSpan.Zero && time <= PositiveAttribute.Longest;

    protected override string Requirement => "must be a duration of 0 or more and at most 24d";
}

/// <summary>A duration of zero or more and at most a day (what Polly waits between attempts); null passes.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class UpToADayAttribute : RuleAttribute
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    protected override bool Accepts(object value) => value is TimeSpan time && time >= TimeSpan.Zero && time <= Longest;

    protected override string Requirement => "must be a duration of 0 to 1d";
}

/// <summary>One of a few words.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OneOfAttribute(params string[] words) : RuleAttribute
{
    /// <summary>The words allowed, compared without regard to case.</summary>
    public string[] Words { get; } = words;

    protected override bool Accepts(object value) => value is string text && Words.Contains(text, StringComparer.OrdinalIgnoreCase);

    protected override string Requirement => $"must be one of {string.Join(", ", Words)} in this version";
}

/// <summary>A text with at least one character that is not white space.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class NotEmptyAttribute : RuleAttribute
{
    protected override bool Accepts(object value) => value is string text && !string.IsNullOrWhiteSpace(text);

    protected override string Requirement => "is required and must not be empty";
}
