using System.Globalization;

namespace Lb.Tool;

/// <summary>Reads the lines of a script. Pure; which servers there are is the player's business.</summary>
internal static class PlayScript
{
    private const string Commands = "pick, explain, end, down, up, nolb, drain, ready, maint, weight, add, remove, advance, show";

    public static Step Parse(string line)
    {
        if (!Words.TrySplit(line, out IReadOnlyList<string> words, out string? error)) return new Step.Bad(error);
        if (words.Count == 0) return new Step.Nothing();
        string[] arguments = [.. words.Skip(1)];
        return words[0] switch
        {
            "pick" => Pick(arguments),
            "explain" => Pick(arguments) is Step.Pick pick ? new Step.Explain(pick.Context) : Pick(arguments),
            "end" => End(arguments),
            "down" => Named(arguments, "down NAME", static name => new Step.Health(name, ServerHealth.Down)),
            "up" => Named(arguments, "up NAME", static name => new Step.Health(name, ServerHealth.Up)),
            "nolb" => Named(arguments, "nolb NAME", static name => new Step.Health(name, ServerHealth.Stopping)),
            "drain" => Named(arguments, "drain NAME", static name => new Step.Admin(name, ServerAdmin.Drain)),
            "ready" => Named(arguments, "ready NAME", static name => new Step.Admin(name, ServerAdmin.Ready)),
            "maint" => Named(arguments, "maint NAME", static name => new Step.Admin(name, ServerAdmin.Maintenance)),
            "weight" => Weight(arguments),
            "add" => Add(arguments),
            "remove" => Named(arguments, "remove NAME", static name => new Step.Remove(name)),
            "advance" => Advance(arguments),
            "show" => arguments.Length == 0 ? new Step.Show() : Usage("show"),
            _ => new Step.Bad($"'{words[0]}' is no command; there are: {Commands}"),
        };
    }

    private static Step Pick(string[] arguments)
    {
        PickContext context = default;
        string? uri = null;
        List<(string Name, string Value)> headers = [];
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach (string argument in arguments)
        {
            (string key, string? value) = Split(argument);
            bool isHeader = key.StartsWith("hdr:", StringComparison.Ordinal);
            if (value is null || (!isHeader && key is not ("src" or "dst" or "uri" or "host" or "key")))
                return new Step.Bad($"'{argument}' is none of src=, dst=, uri=, host=, hdr:NAME= and key=");
            if (!isHeader && !seen.Add(key)) return new Step.Bad($"{key}= is given twice");

            PeerAddress address = default;
            bool isGood = key switch
            {
                "src" or "dst" => TryParseAddress(value, out address),
                "uri" => value.Length > 0 && !value.Any(char.IsControl),
                "host" => value.Length > 0 && !value.Any(static c => char.IsControl(c) || char.IsWhiteSpace(c)),
                "key" => true,
                _ => IsToken(key.AsSpan(4)) && !value.Any(char.IsControl),
            };
            if (!isGood) return new Step.Bad($"'{argument}' is no {(isHeader ? "header: hdr:NAME=value" : Explain(key))}");

            if (isHeader) headers.Add((key[4..], value));
            else if (key == "host") headers.Add(("Host", value));
            else if (key == "uri") uri = value;
            else if (key == "src") context = context with { Source = address };
            else if (key == "dst") context = context with { Destination = address };
            else if (key == "key") context = context with { Key = AffinityKey.From(value) };
        }

        if (uri is not null || headers.Count > 0) context = context with { Request = new ScriptedRequest(uri, headers) };
        return new Step.Pick(context);
    }

    private static string Explain(string key) => key switch
    {
        "uri" => "URI: it must not be empty and must not hold control characters",
        "host" => "host: it must not be empty and must not hold spaces",
        _ => "IP address with or without a port",
    };

    private static Step End(string[] arguments)
    {
        const string usage = "end N [ok|fail|ignored] [latency=20ms]";
        if (arguments.Length is < 1 or > 3 || !TryParseNumber(arguments[0], out int number) || number < 1) return Usage(usage);
        LeaseOutcome? outcome = null;
        TimeSpan? latency = null;
        foreach (string argument in arguments.AsSpan(1))
        {
            (string key, string? value) = Split(argument);
            LeaseOutcome? named = argument switch
            {
                "ok" => LeaseOutcome.Success,
                "fail" => LeaseOutcome.Failure(FailureKind.Connect),
                "ignored" => LeaseOutcome.Ignored,
                _ => null,
            };
            if (named is not null && outcome is null)
            {
                outcome = named;
            }
            else if (key == "latency" && value is not null && latency is null)
            {
                if (!Durations.TryParse(value, out TimeSpan time) || time < TimeSpan.Zero)
                    return new Step.Bad($"'{argument}' is no duration such as 20ms or 1.5s");
                latency = time;
            }
            else
            {
                return Usage(usage);
            }
        }

        return new Step.End(number, outcome ?? LeaseOutcome.Success, latency);
    }

    private static Step Weight(string[] arguments)
    {
        if (arguments.Length != 2) return Usage("weight NAME W");
        return TryParseWeight(arguments[1], out int weight) ? new Step.SetWeight(arguments[0], weight) : BadWeight(arguments[1]);
    }

    private static Step Add(string[] arguments)
    {
        if (arguments.Length is < 2 or > 3) return Usage("add NAME ADDRESS [weight=W]");
        if (string.IsNullOrWhiteSpace(arguments[0])) return new Step.Bad("a server needs a name");
        if (!ServerAddress.TryParse(arguments[1], out _, out string? error)) return new Step.Bad($"'{arguments[1]}': {error}");
        if (arguments.Length == 2) return new Step.Add(arguments[0], arguments[1], 1);

        (string key, string? value) = Split(arguments[2]);
        if (key != "weight" || value is null) return Usage("add NAME ADDRESS [weight=W]");
        return TryParseWeight(value, out int weight) ? new Step.Add(arguments[0], arguments[1], weight) : BadWeight(value);
    }

    private static Step Advance(string[] arguments)
    {
        if (arguments.Length != 1) return Usage("advance TIME");
        return Durations.TryParse(arguments[0], out TimeSpan time) && time >= TimeSpan.Zero && time <= TimeSpan.FromDays(36500)
            ? new Step.Advance(time)
            : new Step.Bad($"'{arguments[0]}' is no duration such as 5s or 100ms, 0 to 36500d");
    }

    private static Step Named(string[] arguments, string usage, Func<string, Step> make) =>
        arguments.Length == 1 ? make(arguments[0]) : Usage(usage);

    private static Step.Bad Usage(string usage) => new($"usage: {usage}");

    private static Step.Bad BadWeight(string text) => new($"the weight '{text}' must be 0 to 256");

    private static (string Key, string? Value) Split(string argument)
    {
        int equals = argument.IndexOf('=', StringComparison.Ordinal);
        return equals < 0 ? (argument, null) : (argument[..equals], argument[(equals + 1)..]);
    }

    private static bool TryParseNumber(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static bool TryParseWeight(string text, out int weight) => TryParseNumber(text, out weight) && weight <= 256;

    // The parser of the base library also takes 1 and 10.1 for IPv4 addresses; in a script they are slips.
    private static bool TryParseAddress(string text, out PeerAddress address) =>
        PeerAddress.TryParse(text, out address) && (address.IsV6 || text.AsSpan().Count('.') == 3 || text.AsSpan().Count(':') > 1);

    private static bool IsToken(ReadOnlySpan<char> name)
    {
        foreach (char c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && !"!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal)) return false;
        }

        return name.Length > 0;
    }
}
