using System.Globalization;

namespace Lb.Peers;

/// <summary>What the command line asks for.</summary>
internal sealed record Options
{
    public const string Usage = """
        usage: dotnet run -c Release --project bench/peers -- [options]

          --proxies LIST     lb-epoll,lb-io_uring,lb-managed,haproxy,nginx,haproxy-splice,lb-1loop,lb-2loops; default lb-epoll,haproxy,haproxy-splice,nginx
          --loads LIST       messages,connections,bulk,udp,latency,idle,loops,tls-messages,tls-connections,tls-bulk; default the first six
          --rounds N         1 to 50, default 5
          --seconds N        length of one measurement, 1 to 60, default 3
          --warmup N         seconds of each load for each proxy before measuring, 0 to 60, default 3
          --idle N           idle connections, 100 to 100000, default 8000 (fewer if the limit of open files says so)
          --proxy-cpu N      processor of the proxy, default 0
          --client-cpu N     processor of backend and client, default 1
          --lb PATH          lb.dll to measure; default: a Release build of src/Lb.Tool is made
          --extra NAME=CMD   one more proxy; {listen} and {backend} in CMD become port numbers. May be repeated
          --out FILE         the results file, default bench/results/DATE-l4.md; "-" = print only
          --strict           a missed goal also makes the exit code 1
          --no-netns         run in the host's network and with its congestion control; needs no root
        """;

    public IReadOnlyList<string> Proxies { get; private init; } = ["lb-epoll", "haproxy", "haproxy-splice", "nginx"];

    public IReadOnlyList<string> Loads { get; private init; } = [.. Load.Default.Select(static l => l.Name)];

    public int Rounds { get; private init; } = 5;

    public int Seconds { get; private init; } = 3;

    public int Warmup { get; private init; } = 3;

    public int Idle { get; private init; } = 8000;

    public int ProxyCpu { get; private init; }

    public int ClientCpu { get; private init; } = 1;

    public string? LbPath { get; private init; }

    public IReadOnlyList<(string Name, string Command)> Extras { get; private init; } = [];

    public string? Out { get; private init; }

    public bool Strict { get; private init; }

    public bool UseNetns { get; private init; } = true;

    /// <summary>The proxies and the extras, in the order of measuring.</summary>
    public IReadOnlyList<string> AllProxies => [.. Proxies, .. Extras.Select(static e => e.Name)];

    public bool NeedsLb => Proxies.Any(static p => p.StartsWith("lb-", StringComparison.Ordinal));

    public static Options Parse(IReadOnlyList<string> args)
    {
        Options options = new();
        for (int i = 0; i < args.Count; i++)
        {
            string name = args[i];
            string Value() => i + 1 < args.Count ? args[++i] : throw new BenchException($"{name} wants a value\n{Usage}");
            options = name switch
            {
                "--proxies" => options with { Proxies = Names(name, Value(), ProxyPlan.Names) },
                "--loads" => options with { Loads = Names(name, Value(), [.. Load.All.Select(static l => l.Name)]) },
                "--rounds" => options with { Rounds = Number(name, Value(), 1, 50) },
                "--seconds" => options with { Seconds = Number(name, Value(), 1, 60) },
                "--warmup" => options with { Warmup = Number(name, Value(), 0, 60) },
                "--idle" => options with { Idle = Number(name, Value(), 100, 100_000) },
                "--proxy-cpu" => options with { ProxyCpu = Number(name, Value(), 0, 4095) },
                "--client-cpu" => options with { ClientCpu = Number(name, Value(), 0, 4095) },
                "--lb" => options with { LbPath = Path.GetFullPath(Value()) },
                "--extra" => options with { Extras = [.. options.Extras, Extra(Value())] },
                "--out" => options with { Out = Value() },
                "--strict" => options with { Strict = true },
                "--no-netns" => options with { UseNetns = false },
                _ => throw new BenchException($"unknown option {name}\n{Usage}"),
            };
        }

        if (options.AllProxies.Distinct().Count() != options.AllProxies.Count) throw new BenchException("a proxy is named twice");
        return options;
    }

    /// <summary>The proxies need a TLS port too.</summary>
    public bool NeedsTls => Load.All.Any(load => load.IsTls && Loads.Contains(load.Name));

    /// <summary>The options that change a figure, as the results file shows them.</summary>
    public string Describe() =>
        $"--proxies {string.Join(',', AllProxies)} --loads {string.Join(',', Loads)} --rounds {Rounds} --seconds {Seconds} --warmup {Warmup} --idle {Idle}"
        + (UseNetns ? "" : " --no-netns");

    private static string[] Names(string option, string list, IReadOnlyCollection<string> known)
    {
        string[] names = list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string? unknown = names.FirstOrDefault(n => !known.Contains(n));
        if (unknown is not null) throw new BenchException($"{option}: {unknown} is none of {string.Join(", ", known)}");
        return names;
    }

    private static int Number(string option, string text, int least, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most
            ? value
            : throw new BenchException($"{option}: {text} is no whole number from {least} to {most}");

    private static (string Name, string Command) Extra(string text)
    {
        string[] parts = text.Split('=', 2);
        if (parts.Length < 2 || parts[0].Length == 0 || string.IsNullOrWhiteSpace(parts[1])) throw new BenchException("--extra wants NAME=COMMAND");
        return (parts[0], parts[1]);
    }
}
