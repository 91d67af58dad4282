namespace Lb.Transport.Tests;

/// <summary>Tests of a gateway: every lab is stopped at the end, and no lease may be left over, whatever the test did.</summary>
public abstract class GatewayTests : IAsyncDisposable
{
    private readonly List<GatewayLab> _labs = [];

    internal async Task<GatewayLab> StartAsync(string driver, Action<GatewayLab>? configure = null)
    {
        GatewayLab lab = Make(driver, configure);
        await lab.StartAsync();
        return lab;
    }

    /// <summary>A host that is not started yet.</summary>
    internal GatewayLab Make(string driver, Action<GatewayLab>? configure = null)
    {
        Assert.SkipWhen(driver == "io_uring" && !EventLoops.SupportsUring, $"io_uring can't be used here: {UringSupport.Missing}.");
        GatewayLab lab = new(driver);
        configure?.Invoke(lab);
        _labs.Add(lab);
        return lab;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (GatewayLab lab in _labs) await lab.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}

/// <summary>All drivers: every behaviour holds on each.</summary>
public sealed class Drivers : TheoryData<string>
{
    public Drivers()
    {
        Add("epoll");
        Add("io_uring");
        Add("managed");
    }
}

/// <summary>Tests that count threads, descriptors or memory of the whole process: nothing runs beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}
