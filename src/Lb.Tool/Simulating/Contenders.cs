using System.Globalization;
using System.Text.RegularExpressions;
using Lb.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Lb.Tool;

/// <summary>A policy in a comparison.</summary>
/// <param name="Name">For people.</param>
/// <param name="Configure">Sets a simulated balancer's pool up.</param>
internal sealed record Contender(string Name, Action<PoolOptions, SimulatedBalancer> Configure);

/// <summary>Finds the policies that a command line asks for: by name, and in the pools of a configuration.</summary>
internal static partial class Contenders
{
    /// <summary>Finds them all; tells of the first fault.</summary>
    /// <param name="path">The configuration, or null.</param>
    /// <param name="pool">One pool of it, or null for all.</param>
    /// <param name="policies">Names, separated by commas; may be empty beside a configuration.</param>
    /// <param name="error">Takes what is wrong.</param>
    /// <param name="contenders">Those of the configuration first.</param>
    public static bool TryFind(string? path, string? pool, string policies, TextWriter error, out IReadOnlyList<Contender> contenders)
    {
        List<Contender> found = [];
        contenders = found;
        ServiceCollection services = new();
        ConfigurationFile? file = path is null ? null : new ConfigurationFile(path);
        if (file is not null && !CheckCommand.TryRead(file, error)) return false;
        services.AddLb((file is null ? new ConfigurationBuilder() : new ConfigurationBuilder().Add(file)).Build().GetSection(ConfigurationFile.Root));
        services.AddSingleton<ILbPart>(new IdlePart("Checks"));
        services.AddSingleton<ILbPart>(new IdlePart("Gateways"));
        using ServiceProvider provider = services.BuildServiceProvider();

        if (pool is not null && file is null) return Fail(error, "--pool needs a configuration: -c FILE");
        if (file is not null && !TryAddPools(file, provider, pool, found, error)) return false;
        foreach (string name in Split(policies).Distinct(StringComparer.OrdinalIgnoreCase))
        {
            Contender contender = Named(name);
            if (Fault(contender) is { } fault) return Fail(error, fault);
            found.Add(contender);
        }

        return found.Count > 0 || Fail(error, "there is nothing to simulate: name policies, or a configuration with pools");
    }

    /// <summary>The words of a list.</summary>
    public static string[] Split(string list) => list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static bool TryAddPools(ConfigurationFile file, ServiceProvider provider, string? only, List<Contender> found, TextWriter error)
    {
        if (!CheckCommand.TryValidate(file, provider, error, out LbOptions options)) return false;
        foreach ((string name, PoolOptions pool) in options.Pools.OrderBy(static p => p.Key, StringComparer.Ordinal))
        {
            if (only is not null && !string.Equals(name, only, StringComparison.OrdinalIgnoreCase)) continue;
            found.Add(new Contender($"{name}: {pool.Balance.ToLowerInvariant()}", (simulated, _) => Take(pool, simulated)));
        }

        return only is null || found.Count > 0
            || Fail(error, $"{file.Path}: there is no pool '{only}'; there are: {string.Join(", ", options.Pools.Keys.Order(StringComparer.Ordinal))}");
    }

    // How a pool chooses and what protects it. Its servers, limits, checks and time-outs stay behind: the scenario has its own.
    private static void Take(PoolOptions pool, PoolOptions simulated)
    {
        simulated.Balance = pool.Balance;
        simulated.BalanceOptions = pool.BalanceOptions;
        simulated.Outlier = pool.Outlier;
        simulated.MaxFails = pool.MaxFails;
        simulated.FailTimeout = pool.FailTimeout;
        simulated.CircuitBreaker = pool.CircuitBreaker;
        simulated.SlowStart = pool.SlowStart;
        simulated.SlowStartCurve = pool.SlowStartCurve;
        simulated.SlowStartAggression = pool.SlowStartAggression;
        simulated.SlowStartMinimum = pool.SlowStartMinimum;
    }

    // random(1): HAProxy's spelling of the number of draws.
    private static Contender Named(string name)
    {
        Match match = WithDraws().Match(name);
        int draws = match.Success ? int.Parse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture) : new BalanceOptions().Draws;
        return new Contender(name.ToLowerInvariant(), (options, _) =>
        {
            options.Balance = match.Success ? "random" : name;
            options.BalanceOptions.Draws = draws;
        });
    }

    // The pool's own words for a name that it does not know, and for policies that need settings that a bare name does not have.
    private static string? Fault(Contender contender)
    {
        PoolOptions options = new();
        options.Servers.Add(new ServerOptions { Address = "198.18.0.1:80" });
        contender.Configure(options, default);
        try
        {
            _ = new ServerPool("--policies", options);
            return null;
        }
        catch (ArgumentException fault)
        {
            return fault.Message.Split('\n')[0].Replace($" (Parameter '{fault.ParamName}')", "", StringComparison.Ordinal).Trim();
        }
    }

    private static bool Fail(TextWriter error, string message)
    {
        error.WriteLine(message);
        return false;
    }

    [GeneratedRegex(@"^random\((\d{1,4})\)$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex WithDraws();
}
