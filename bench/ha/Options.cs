using System.Globalization;
using Lb.Peers;

namespace Lb.HaBench;

/// <summary>What the command line asks for.</summary>
internal sealed record Options
{
    public static readonly string[] AllParts = ["v2-1s", "v3-100ms", "v3-10ms", "heal", "lease", "many", "garbage"];
    public static readonly string[] AllFaults = ["term", "kill9", "ifdown", "silent"];

    public const string Usage = """
        usage: dotnet run -c Release --project bench/ha -- [options]

          --parts LIST       of v2-1s,v3-100ms,v3-10ms (faults at that setting; v2-1s only term),heal,lease,many,garbage; default all
          --faults LIST      of term,kill9,ifdown,silent; default all
          --rounds N         rounds of each fault, 1 to 100, default 10; heal takes twice as many
          --seconds N        length of the measurements many and garbage, 5 to 600, default 60
          --quick            3 rounds, 10 seconds: a look, no result
          --note TEXT        a sentence at the head of the results: what a reader must know of this run
          --out FILE         the results file, default bench/results/DATE-ha.md; "-" = print only
          --strict           a missed goal makes the exit code 1
        """;

    public IReadOnlyList<string> Parts { get; private init; } = AllParts;

    public IReadOnlyList<string> Faults { get; private init; } = AllFaults;

    public int Rounds { get; private init; } = 10;

    public int Seconds { get; private init; } = 60;

    public bool Quick { get; private init; }

    public string? Note { get; private init; }

    public string? Out { get; private init; }

    public bool Strict { get; private init; }

    public static Options Parse(IReadOnlyList<string> args)
    {
        Options options = new();
        for (int i = 0; i < args.Count; i++)
        {
            string name = args[i];
            string Value() => i + 1 < args.Count ? args[++i] : throw new BenchException($"{name} wants a value\n{Usage}");
            options = name switch
            {
                "--parts" => options with { Parts = Names(name, Value(), AllParts) },
                "--faults" => options with { Faults = Names(name, Value(), AllFaults) },
                "--rounds" => options with { Rounds = Number(name, Value(), 1, 100) },
                "--seconds" => options with { Seconds = Number(name, Value(), 5, 600) },
                "--quick" => options with { Quick = true, Rounds = 3, Seconds = 10 },
                "--note" => options with { Note = Value() },
                "--out" => options with { Out = Value() },
                "--strict" => options with { Strict = true },
                _ => throw new BenchException($"unknown option {name}\n{Usage}"),
            };
        }

        return options;
    }

    public string Describe() => $"--parts {string.Join(',', Parts)} --faults {string.Join(',', Faults)} --rounds {Rounds} --seconds {Seconds}{(Quick ? " --quick" : "")}";

    private static string[] Names(string option, string list, string[] known)
    {
        string[] names = list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string? unknown = names.FirstOrDefault(n => !known.Contains(n));
        return unknown is null ? names : throw new BenchException($"{option}: {unknown} is none of {string.Join(", ", known)}");
    }

    private static int Number(string option, string text, int least, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most
            ? value
            : throw new BenchException($"{option}: {text} is no whole number from {least} to {most}");
}
