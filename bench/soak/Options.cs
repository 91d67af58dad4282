using System.Globalization;

namespace Lb.Soak;

/// <summary>What the command line asks for.</summary>
internal sealed record Options
{
    public const string Usage = """
        usage: dotnet run -c Release --project bench/soak -- [options]

          --minutes N     length, 1 to 600, default 10
          --driver NAME   auto, epoll, io_uring or managed; default auto
          --loops N       event loops of the gateway, 1 to 64, default 2
          --idle N        connections that are only held, 0 to 8000, default 1000
          --seed N        of all random choices, default 1
          --out FILE      the results file, default bench/results/DATE-soak-DRIVER.md; "-" = print only
        """;

    public int Minutes { get; private init; } = 10;

    public string Driver { get; private init; } = "auto";

    public int Loops { get; private init; } = 2;

    public int Idle { get; private init; } = 1000;

    public int Seed { get; private init; } = 1;

    public string? Out { get; private init; }

    /// <exception cref="ArgumentException">Something is not understood.</exception>
    public static Options Parse(IReadOnlyList<string> args)
    {
        Options options = new();
        for (int i = 0; i < args.Count; i++)
        {
            string name = args[i];
            string Value() => i + 1 < args.Count ? args[++i] : throw new ArgumentException($"{name} wants a value\n{Usage}");
            options = name switch
            {
                "--minutes" => options with { Minutes = Number(name, Value(), 1, 600) },
                "--driver" => options with { Driver = Value() },
                "--loops" => options with { Loops = Number(name, Value(), 1, 64) },
                "--idle" => options with { Idle = Number(name, Value(), 0, 8000) },
                "--seed" => options with { Seed = Number(name, Value(), 0, int.MaxValue) },
                "--out" => options with { Out = Value() },
                _ => throw new ArgumentException($"unknown option {name}\n{Usage}"),
            };
        }

        return options;
    }

    private static int Number(string option, string text, int least, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most
            ? value
            : throw new ArgumentException($"{option}: {text} is no whole number from {least} to {most}");
}
