namespace Lb.Interop.Tests.Peers;

/// <summary>A peer that serves all tests of a class. Without its program the tests are skipped, and say why.</summary>
public abstract class PeerFixture : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly (string Program, string Package)[] _needs;
    private readonly Stack<IAsyncDisposable> _started = [];
    private readonly PeerHome _home = new();

    /// <param name="needs">Programs by their path, and the packages of Debian that have them.</param>
    protected PeerFixture(params (string Program, string Package)[] needs) => _needs = needs;

    private protected PeerHome Home => _home;

    /// <summary>First line of each test.</summary>
    public void Demand() => Peer.Demand(_needs);

    public async ValueTask InitializeAsync()
    {
        if (Peer.Missing(_needs) is not null) return;
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Patience);
        await StartAsync(limit.Token);
    }

    public async ValueTask DisposeAsync()
    {
        while (_started.TryPop(out IAsyncDisposable? last)) await last.DisposeAsync();
        _home.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Starts what the tests need.</summary>
    /// <param name="ct">Cancelled after two minutes.</param>
    protected abstract Task StartAsync(CancellationToken ct);

    /// <summary>Remembers what has to end with the tests; the last one ends first.</summary>
    protected T Keep<T>(T started)
        where T : IAsyncDisposable
    {
        _started.Push(started);
        return started;
    }
}
