using System.Net;
using Lb.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.Tool;

/// <summary>
/// The demo: three servers, a gateway, health checks and clients in one process; one server dies at a third of the time and returns at two
/// thirds.
/// </summary>
internal sealed class DemoRun : IDisposable
{
    private const string Pool = "demo";
    private const string Gateway = "front";

    // Far more than the checks need; a machine that is slower than this has other troubles.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(15);

    private readonly TimeProvider _time;
    private readonly TimeSpan _length;
    private readonly DemoServer[] _servers;
    private readonly DemoServer _victim;
    private readonly DemoJournal _journal = new();
    private readonly IHost _host;

    // Set last: who sees it sees the rest.
    private volatile DemoTraffic? _traffic;
    private TcpGateway? _gateway;
    private long _started;
    private TimeSpan? _detected;
    private TimeSpan? _returned;

    public DemoRun(TimeSpan length, string driver, TimeProvider time)
    {
        _length = length;
        _time = time;
        _servers = [new DemoServer("a", time), new DemoServer("b", time), new DemoServer("c", time)];
        _victim = _servers[1];
        _host = Build(driver);
    }

    /// <summary>Plays it to the end, or until stopped.</summary>
    /// <returns>How it went.</returns>
    public async Task<DemoResult> RunAsync(CancellationToken stop)
    {
        foreach (DemoServer server in _servers) server.Start();
        await _host.StartAsync(CancellationToken.None).ConfigureAwait(false);
        _started = _time.GetTimestamp();
        _gateway = (TcpGateway)_host.Services.GetRequiredService<Gateways>()[Gateway];
        EndPoint door = _gateway.EndPoints[0];
        _traffic = new DemoTraffic(door, _servers.Select(static s => s.Name), _time);
        string servers = string.Join(", ", _servers.Select(static s => $"{s.Name} on {s.EndPoint}"));
        Note($"gateway on {door}, servers {servers}, {DemoTraffic.Clients} clients");

        using CancellationTokenSource enough = new();
        Task traffic = _traffic.RunAsync(enough.Token);
        try
        {
            await DelayUntilAsync(_length / 3, stop).ConfigureAwait(false);
            _detected = await ChangeAsync(_victim.Kill, "is killed", ServerStatus.Down, stop).ConfigureAwait(false);
            await DelayUntilAsync(_length * 2 / 3, stop).ConfigureAwait(false);
            _returned = await ChangeAsync(_victim.Start, "is revived", ServerStatus.Up, stop).ConfigureAwait(false);
            await DelayUntilAsync(_length, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The summary says so.
        }
        finally
        {
            await enough.CancelAsync().ConfigureAwait(false);
            await traffic.ConfigureAwait(false);
        }

        DemoResult result = new(Status(), _detected, _returned, _traffic.WorstClient, _victim.Name, stop.IsCancellationRequested);
        await _host.StopAsync(CancellationToken.None).ConfigureAwait(false);
        return result;
    }

    /// <summary>How it stands. Any thread.</summary>
    public DemoStatus Status()
    {
        if (_traffic is not { } traffic || _gateway is not { } gateway) return new DemoStatus(TimeSpan.Zero, [], 0, 0, 0, _journal.Lines);
        ServerPool pool = gateway.Pool;
        long answers = Math.Max(1, _servers.Sum(s => traffic.AnswersOf(s.Name)));
        DemoStatus.Row[] rows =
        [
            .. pool.Servers.Select(server =>
            {
                long own = traffic.AnswersOf(server.Name);
                return new DemoStatus.Row(server.Name, server.Status, own, (double)own / answers, server.TotalFailures);
            }),
        ];
        return new DemoStatus(_time.GetElapsedTime(_started), rows, traffic.Requests, traffic.Errors, gateway.Retries, _journal.Lines);
    }

    public void Dispose()
    {
        _host.Dispose();
        foreach (DemoServer server in _servers) server.Dispose();
    }

    private IHost Build(string driver)
    {
        HostApplicationBuilder builder = ToolHost.CreateBuilder();
        builder.Services.AddSingleton(_time);
        builder.Services.AddLb().AddHealth();
        builder.Services.AddSingleton<INotifier>(_journal);
        builder.Services.Configure<LbOptions>(options => options.Transport.Driver = driver);
        builder.Services.AddTcpGateway("127.0.0.1:0", Pool, Gateway);
        IServerPoolBuilder pool = builder.Services.AddServerPool(Pool).AddTcpCheck(static check =>
        {
            check.Interval = TimeSpan.FromMilliseconds(200);
            check.Rise = 2;
            check.Fall = 2;
        });
        foreach (DemoServer server in _servers) pool.AddServer(server.EndPoint.ToString(), name: server.Name);
        return builder.Build();
    }

    // Does something to the victim and waits until the checks have found out; null when they do not.
    private async Task<TimeSpan?> ChangeAsync(Action change, string what, ServerStatus expected, CancellationToken stop)
    {
        Task<ServerStatusChanged> seen = _journal.When(_victim.Name, expected);
        long began = _time.GetTimestamp();
        change();
        Note($"server {_victim.Name} {what}");
        try
        {
            await seen.WaitAsync(LongestWait, _time, stop).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Note($"server {_victim.Name} is not {Player.Word(expected)} after {LongestWait.TotalSeconds} s");
            return null;
        }

        TimeSpan took = _time.GetElapsedTime(began);
        Note($"server {_victim.Name} is {Player.Word(expected)} after {took.TotalMilliseconds:0} ms");
        return took;
    }

    private async Task DelayUntilAsync(TimeSpan at, CancellationToken stop)
    {
        TimeSpan left = at - _time.GetElapsedTime(_started);
        if (left > TimeSpan.Zero) await Task.Delay(left, _time, stop).ConfigureAwait(false);
    }

    private void Note(string line) => _journal.Note($"{_time.GetElapsedTime(_started).TotalSeconds,6:0.0} s  {line}");
}
