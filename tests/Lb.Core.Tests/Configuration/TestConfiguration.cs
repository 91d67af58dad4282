using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Lb.Core.Tests.Configuration;

internal static class TestConfiguration
{
    public static IConfigurationRoot FromJson(string json) =>
        new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))).Build();

    /// <summary>The options that the section <c>Lb</c> of this JSON makes, and every fault of it.</summary>
    public static (LbOptions Options, IReadOnlyList<ConfigurationError> Errors) Read(string lb, Action<IServiceCollection>? configure = null)
    {
        ServiceCollection services = new();
        services.AddLb(FromJson($$"""{ "Lb": {{lb}} }""").GetSection("Lb"));
        services.AddSingleton<ILbPart>(new FakePart("Gateways", 300));
        services.AddSingleton<ILbPart>(new FakePart("Checks", 200));
        services.AddSingleton<ILbPart>(new FakePart("Routers", 400));
        configure?.Invoke(services);
        using ServiceProvider provider = services.BuildServiceProvider();
        LbConfiguration configuration = provider.GetRequiredService<LbConfiguration>();
        LbOptions options = configuration.Read();
        return (options, configuration.Validate(options));
    }

    public static string[] Errors(string lb, Action<IServiceCollection>? configure = null) => [.. Read(lb, configure).Errors.Select(static e => e.ToString())];

    public static LbOptions Valid(string lb, Action<IServiceCollection>? configure = null)
    {
        (LbOptions options, IReadOnlyList<ConfigurationError> errors) = Read(lb, configure);
        Assert.Empty(errors);
        return options;
    }
}

/// <summary>Stands for the parts of the other packages and notes what it is told.</summary>
internal sealed class FakePart(string handles, int order) : ILbPart
{
    public List<string> Calls { get; init; } = [];

    public Func<Task>? OnApply { get; set; }

    public Func<LbOptions, ConfigurationError?>? Check { get; set; }

    public int Order => order;

    public string Handles => handles;

    public void Validate(LbOptions options, ICollection<ConfigurationError> errors)
    {
        if (Check?.Invoke(options) is { } error) errors.Add(error);
    }

    public async Task ApplyAsync(LbOptions options, CancellationToken ct)
    {
        Calls.Add($"{handles} apply");
        if (OnApply is not null) await OnApply();
    }

    public Task StopAsync(CancellationToken ct)
    {
        Calls.Add($"{handles} stop");
        return Task.CompletedTask;
    }
}
