using System.CommandLine;
using System.Runtime.CompilerServices;
using Lb.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Lb.Tool;

/// <summary><c>lb play</c>: replays a script against a pool in virtual time; no sockets, no health checks.</summary>
internal static class PlayCommand
{
    private const string StandardInput = "-";

    public static Command Create()
    {
        Option<string> config = LbCommand.ConfigurationOption();
        Option<string> pool = new("--pool") { Description = "The pool to play with", HelpName = "NAME", Required = true };
        Option<int> seed = new("--seed")
        {
            Description = "Seed of every policy that draws (p2c, random): the same seed gives the same picks",
            HelpName = "N",
            DefaultValueFactory = static _ => 1,
        };
        Argument<string> script = new("SCRIPT")
        {
            Description = "The script, or - for standard input",
            DefaultValueFactory = static _ => StandardInput,
        };
        Command command = new("play", "Replay a script against a pool in virtual time: one line of output for each line of input")
        {
            config,
            pool,
            seed,
            script,
        };
        command.SetAction(async (result, _) =>
        {
            InvocationConfiguration invocation = result.InvocationConfiguration;
            string source = result.GetRequiredValue(script);
            PlayRequest request = new(result.GetRequiredValue(config), result.GetRequiredValue(pool), result.GetValue(seed));
            try
            {
                using TextReader reader = source == StandardInput ? Console.In : new StreamReader(source);
                return await RunAsync(request, reader, invocation.Output, invocation.Error).ConfigureAwait(false);
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                await invocation.Error.WriteLineAsync($"{source}: can't be read: {fault.Message}").ConfigureAwait(false);
                return 1;
            }
        });
        return command;
    }

    /// <summary>Plays a whole script.</summary>
    /// <returns>0; 1 when the configuration or any line of the script had an error.</returns>
    public static async Task<int> RunAsync(PlayRequest request, TextReader script, TextWriter output, TextWriter error)
    {
        ConfigurationFile file = new(request.Path);
        if (!CheckCommand.TryRead(file, error)) return 1;

        ManualTimeProvider time = new();
        ServiceCollection services = new();
        services.AddSingleton<TimeProvider>(time);
        services.AddLb(new ConfigurationBuilder().Add(file).Build().GetSection(ConfigurationFile.Root));

        // What a configuration says of checks and gateways is no fault here; nobody follows it.
        services.AddSingleton<ILbPart>(new IdlePart("Checks"));
        services.AddSingleton<ILbPart>(new IdlePart("Gateways"));

        // After what the configuration says: chance with a seed, each pool its own.
        services.AddSingleton<IConfigureOptions<LbOptions>>(new ConfigureOptions<LbOptions>(options =>
        {
            foreach (PoolOptions pool in options.Pools.Values) pool.Random = new Random(request.Seed);
        }));

        ServiceProvider provider = services.BuildServiceProvider();
        await using ConfiguredAsyncDisposable disposal = provider.ConfigureAwait(false);
        if (!CheckCommand.TryValidate(file, provider, error, out LbOptions options)) return 1;
        if (provider.GetRequiredService<ServerPools>().Find(request.Pool) is not { } pool)
        {
            string known = string.Join(", ", options.Pools.Keys.Order(StringComparer.Ordinal));
            await error.WriteLineAsync($"{request.Path}: there is no pool '{request.Pool}'; there are: {known}").ConfigureAwait(false);
            return 1;
        }

        Player player = new(pool, time);
        while (await script.ReadLineAsync().ConfigureAwait(false) is { } line)
            await output.WriteLineAsync(player.Play(line)).ConfigureAwait(false);
        await output.FlushAsync().ConfigureAwait(false);
        return player.HasErrors ? 1 : 0;
    }
}

/// <summary>What to play.</summary>
/// <param name="Path">The configuration.</param>
/// <param name="Pool">Name of the pool.</param>
/// <param name="Seed">Where chance begins.</param>
internal sealed record PlayRequest(string Path, string Pool, int Seed);
