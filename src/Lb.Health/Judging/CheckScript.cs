using System.Text;
using System.Text.RegularExpressions;

namespace Lb.Health;

/// <summary>What an expectation says of what has come so far.</summary>
internal enum Expectation
{
    /// <summary>It can't be said yet.</summary>
    Open,

    /// <summary>It holds.</summary>
    Met,

    /// <summary>It does not hold, and more bytes would not change that.</summary>
    Failed,
}

/// <summary>One step of a script. Immutable; pure.</summary>
/// <param name="Options">As configured.</param>
/// <param name="Number">From 1.</param>
/// <param name="Bytes">What is sent or expected; null for a regular expression and for a connect.</param>
/// <param name="Regex">The regular expression expected.</param>
internal sealed record ScriptStep(CheckStepOptions Options, int Number, byte[]? Bytes, Regex? Regex)
{
    /// <summary>Most bytes that an expectation looks at (HAProxy's <c>tune.bufsize</c>).</summary>
    public const int MaxReceived = 16 * 1024;

    public bool IsConnect => Options.Connect is not null;

    public bool IsSend => Options.Send is not null || Options.SendBinary is not null;

    public bool IsExpect => Options.Expect is not null || Options.ExpectRegex is not null || Options.ExpectBinary is not null;

    /// <summary>Judges what has come (HAProxy's rule for <c>min-recv</c>: without it only the end says that nothing will match).</summary>
    /// <param name="received">All since the last send or connect.</param>
    /// <param name="ended">True when no more will come or be kept.</param>
    public Expectation Judge(ReadOnlySpan<byte> received, bool ended)
    {
        bool found = Regex is null ? received.IndexOf(Bytes) >= 0 : Regex.IsMatch(Encoding.UTF8.GetString(received));
        if (Options.MinReceived is { } enough && received.Length < enough && !ended) return Expectation.Open;
        if (!found && !ended && Options.MinReceived is null) return Expectation.Open;
        return found != Options.Not ? Expectation.Met : Expectation.Failed;
    }

    /// <summary>What people read of a failure at this step.</summary>
    public string Explain(string reason)
    {
        if (Options.OnError is { Length: > 0 } said) return said;
        string what = Options switch
        {
            { Comment: { Length: > 0 } comment } => comment,
            { Connect: { } port } => port == 0 ? "connect" : $"connect {port}",
            { Expect: { } text } => $"expect {text}",
            { ExpectRegex: { } text } => $"expect {text}",
            { ExpectBinary: { } text } => $"expect {text}",
            _ => "send",
        };
        return $"step {Number} ({what}): {reason}";
    }
}

/// <summary>Reads the steps of a <c>tcp-script</c> check. Pure.</summary>
internal static class CheckScript
{
    /// <summary>The steps that do something; comments alone are left out. Faults are added to <paramref name="errors"/>.</summary>
    public static List<ScriptStep> Read(string path, IList<CheckStepOptions> steps, ICollection<ConfigurationError> errors)
    {
        List<ScriptStep> script = [];
        if (steps.Count == 0) errors.Add(new($"{path}:Script", null, "is required for tcp-script: at least one step"));
        for (int i = 0; i < steps.Count; i++)
        {
            string at = $"{path}:Script:{i}";
            CheckStepOptions step = steps[i];
            List<string> actions = Actions(step);
            if (actions.Count > 1)
                errors.Add(new(at, null, $"does {string.Join(" and ", actions)}; a step does one thing"));
            else if (actions.Count == 0 && string.IsNullOrEmpty(step.Comment))
                errors.Add(new(at, null, "must have one of Connect, Send, SendBinary, Expect, ExpectRegex, ExpectBinary, or a Comment"));
            ValidateExtras(at, step, actions, errors);
            if (actions.Count == 1) script.Add(Read(at, step, i + 1, errors));
        }

        return script;
    }

    private static ScriptStep Read(string at, CheckStepOptions step, int number, ICollection<ConfigurationError> errors)
    {
        byte[]? bytes = null;
        Regex? regex = null;
        string? error = null;
        (string key, string? value) = step switch
        {
            { Send: not null } => ("Send", step.Send),
            { SendBinary: not null } => ("SendBinary", step.SendBinary),
            { Expect: not null } => ("Expect", step.Expect),
            { ExpectRegex: not null } => ("ExpectRegex", step.ExpectRegex),
            _ => ("ExpectBinary", step.ExpectBinary),
        };
        bool good = value is null || (value.Length > 0 && (key switch
        {
            "ExpectRegex" => Patterns.TryParse(value, out regex, out error),
            "SendBinary" or "ExpectBinary" => PayloadText.TryParseHex(value, out bytes, out error),
            _ => PayloadText.TryParse(value, out bytes, out error),
        }));
        if (good && step.Send is null && step.SendBinary is null && bytes?.Length > ScriptStep.MaxReceived) error = "is longer than the 16 KiB that are looked at";
        else if (!good) error ??= "must not be empty";
        if (error is not null) errors.Add(new($"{at}:{key}", CheckRules.Printable(value!), error));
        return new ScriptStep(step, number, bytes, regex);
    }

    private static void ValidateExtras(string at, CheckStepOptions step, List<string> actions, ICollection<ConfigurationError> errors)
    {
        bool connects = actions.Contains("Connect"), expects = actions.Exists(static a => a.StartsWith("Expect", StringComparison.Ordinal));
        void Only(bool isSet, bool allowed, string key, string where)
        {
            if (isSet && !allowed) errors.Add(new($"{at}:{key}", null, $"means nothing here; it belongs to {where}"));
        }

        Only(step.Tls, connects, "Tls", "Connect");
        Only(step.Linger, connects, "Linger", "Connect");
        Only(step.Not, expects, "Not", "an expectation");
        Only(step.MinReceived is not null, expects, "MinReceived", "an expectation");
        Only(step.OnSuccess is not null, expects, "OnSuccess", "an expectation");
        Only(step.OnError is not null, actions.Count > 0, "OnError", "a step that can fail");
    }

    private static List<string> Actions(CheckStepOptions step)
    {
        (string Name, bool IsSet)[] all =
        [
            ("Connect", step.Connect is not null), ("Send", step.Send is not null), ("SendBinary", step.SendBinary is not null),
            ("Expect", step.Expect is not null), ("ExpectRegex", step.ExpectRegex is not null), ("ExpectBinary", step.ExpectBinary is not null),
        ];
        return [.. all.Where(static a => a.IsSet).Select(static a => a.Name)];
    }
}
