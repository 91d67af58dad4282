using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Lb.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Lb.Transport.Tests;

/// <summary>A host with the pool "web" and the gateway "gate" over real sockets, and a clock that only the test moves.</summary>
internal sealed class GatewayLab(string driver) : IAsyncDisposable
{
    private readonly List<IDisposable> _owned = [];
    private IHost? _host;
    private Socket? _refusing;
    private IReadOnlyList<EventLoop>? _loops;
    private bool _stopped;

    /// <summary>Changes everything else; runs anew for each reload.</summary>
    public List<Action<LbOptions>> Configure { get; } = [];

    public List<string> Listen { get; } = ["127.0.0.1:0"];

    public List<ServerOptions> Servers { get; } = [];

    public int Loops { get; set; } = 1;

    /// <summary>Lives by the system's clock instead of <see cref="Time"/>, which allocates when the loop sets its alarm.</summary>
    public bool SystemTime { get; set; }

    public ManualTimeProvider Time { get; } = new();

    public Heard Events { get; } = new();

    public LogIds Logged { get; } = new();

    public Action<IServiceCollection>? Services { get; set; }

    public IHost Host => _host!;

    public Gateways Gateways => Host.Services.GetRequiredService<Gateways>();

    public TcpGateway Gateway => (TcpGateway)Gateways["gate"];

    public ServerPool Pool => Host.Services.GetRequiredService<ServerPools>()["web"];

    public LbConfiguration Configuration => Host.Services.GetRequiredService<LbConfiguration>();

    /// <summary>The event loops, also after the host has ended them.</summary>
    public IReadOnlyList<EventLoop> Loop => _loops ??= LoopsOf(Gateways)!.Loops;

    /// <summary>Of the first listener.</summary>
    public EndPoint EndPoint => Gateways["gate"].EndPoints[0];

    public void SetPool(Action<PoolOptions> change) => Configure.Add(options => change(options.Pools["web"]));

    public void SetGateway(Action<GatewayOptions> change) => Configure.Add(options => change(options.Gateways["gate"]));

    /// <summary>Starts a server and puts it in the pool.</summary>
    public TestServer AddServer(string? name = null, Action<ServerOptions>? configure = null, int? backlog = null)
    {
        TestServer server = Own(new TestServer(backlog ?? 512));
        AddServer(server.Address, name ?? $"s{Servers.Count + 1}", configure);
        return server;
    }

    public void AddServer(string address, string name, Action<ServerOptions>? configure = null)
    {
        ServerOptions options = new() { Name = name, Address = address };
        configure?.Invoke(options);
        Servers.Add(options);
    }

    /// <summary>A server whose port is taken but refuses connections.</summary>
    public void AddRefusing(string? name = null)
    {
        Socket socket = Own(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        _refusing = socket;
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        AddServer(socket.LocalEndPoint!.ToString()!, name ?? $"s{Servers.Count + 1}");
    }

    /// <summary>Frees the port of the last one, so that a server can be started there.</summary>
    public void ReleaseRefusing() => _refusing!.Dispose();

    /// <summary>A server that answers no connect: its queue of one is full, so the kernel drops every further SYN.</summary>
    public async Task AddBlackHoleAsync(string? name = null)
    {
        TestServer server = AddServer(name, backlog: 0);
        Socket filler = Own(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        await filler.ConnectAsync(server.EndPoint);
    }

    public IHost Build()
    {
        HostApplicationBuilder builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton(SystemTime ? TimeProvider.System : Time);
        builder.Services.AddSingleton<INotifier>(Events);

        // The host's own patience, in real time, must not help a drain that hangs.
        builder.Services.Configure<HostOptions>(static o => o.ShutdownTimeout = TimeSpan.FromHours(1));
        builder.Services.AddSingleton<ILoggerProvider>(Logged);
        builder.Services.AddServerPool("web").UseRoundRobin();
        builder.Services.AddLb().AddGateways();
        builder.Services.Configure<LbOptions>(options =>
        {
            options.Transport.Driver = driver;
            options.Transport.Loops = Loops;
            foreach (ServerOptions server in Servers) options.Pools["web"].Servers.Add(server);
            GatewayOptions gateway = options.Gateways["gate"] = new GatewayOptions { Pool = "web" };
            foreach (string listen in Listen) gateway.Listen.Add(listen);
            foreach (Action<LbOptions> change in Configure) change(options);
        });
        Services?.Invoke(builder.Services);
        return _host = builder.Build();
    }

    public async Task StartAsync()
    {
        await (_host ?? Build()).StartAsync();
        if (LoopsOf(Gateways) is { } loops) _loops = loops.Loops;
    }

    public Task<IReadOnlyList<ConfigurationError>> ReloadAsync() =>
        Host.Services.GetRequiredService<ILbReloader>().ReloadAsync(CancellationToken.None);

    /// <summary>Stops the host, once.</summary>
    public Task StopAsync(CancellationToken ct = default)
    {
        _stopped = true;
        return Host.StopAsync(ct);
    }

    /// <summary>Stops the host while the clock runs, so that no connection holds it up.</summary>
    public async Task StopSoonAsync()
    {
        Task stop = StopAsync();
        await Wait.UntilAsync(
            () =>
            {
                Time.Advance(TimeSpan.FromSeconds(1));
                return stop.IsCompleted;
            },
            "the host has stopped");
        await stop;
    }

    /// <summary>Begins to stop the host; the gateway, which must have open connections, does not accept any more and every session has been told.</summary>
    /// <returns>The stop itself, in an array: it is not to be awaited here.</returns>
    public async Task<Task[]> BeginStopAsync(CancellationToken ct = default)
    {
        const int Draining = 4004;
        Task stop = StopAsync(ct);
        await Wait.UntilAsync(() => Logged.Count(Draining) > 0, "the drain has begun");
        return [stop];
    }

    /// <summary>A client's socket, connected to the gateway and closed at the end of the test.</summary>
    public async Task<Socket> ClientAsync(EndPoint? to = null, int receiveBuffer = 0, string? from = null)
    {
        to ??= EndPoint;
        Socket socket = Own(new Socket(
            to.AddressFamily, SocketType.Stream, to.AddressFamily == AddressFamily.Unix ? ProtocolType.Unspecified : ProtocolType.Tcp));
        if (receiveBuffer > 0) socket.ReceiveBufferSize = receiveBuffer;
        if (from is not null) socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        await socket.ConnectAsync(to);
        return socket;
    }

    /// <summary>A client through the gateway and the server's end of the same stream.</summary>
    public async Task<(Socket Client, Socket Server)> PairAsync(TestServer server, int receiveBuffer = 0, string? from = null)
    {
        Socket client = await ClientAsync(receiveBuffer: receiveBuffer, from: from);
        Socket accepted = await server.AcceptAsync();

        // The gateway reads from the client only once it is connected: a byte there and back proves that both ends are.
        await client.SendAllAsync(new byte[1]);
        await accepted.ReadAsync(1);
        await accepted.SendAllAsync(new byte[1]);
        await client.ReadAsync(1);
        return (client, accepted);
    }

    /// <summary>Moves the clock; the loops have seen everything before and after when this ends.</summary>
    public async Task AdvanceAsync(TimeSpan time)
    {
        await TurnsAsync();
        Time.Advance(time);
        await TurnsAsync();
    }

    /// <summary>One tick of the timer wheel: what was due before surely has fired.</summary>
    public Task TickAsync() => AdvanceAsync(TimeSpan.FromMilliseconds(TimerWheel.TickMilliseconds));

    /// <summary>Waits until every loop has taken several whole turns.</summary>
    public async Task TurnsAsync()
    {
        try
        {
            for (int i = 0; i < 3; i++)
            {
                foreach (EventLoop loop in Loop) await LoopGroup.RunAsync(loop, static () => true);
            }
        }
        catch (ObjectDisposedException)
        {
            // The host has stopped: nothing is left to be seen.
        }
    }

    public Task OpenAsync(int count)
    {
        Gateway gateway = Gateways["gate"];
        return Wait.UntilAsync(() => gateway.OpenConnections == count, () => $"{count} open, there are {gateway.OpenConnections}");
    }

    /// <summary>Holds the first loop up until the answer is completed: what comes meanwhile waits and is received at once.</summary>
    public async Task<TaskCompletionSource> HoldLoopAsync()
    {
        TaskCompletionSource held = new(TaskCreationOptions.RunContinuationsAsynchronously), release = new();
        Loop[0].Post(
            _ =>
            {
                held.SetResult();
                release.Task.Wait();
            },
            null);
        await held.Task;
        return release;
    }

    /// <summary>Loops that have accepted at least one of the gateway's clients.</summary>
    public int LoopsWithConnections() => ShardsOf(Gateway).Count(static s => Volatile.Read(ref s.Counters.Total) > 0);

    /// <summary>Closes every client and server now.</summary>
    public void DropClients()
    {
        lock (_owned) _owned.ForEach(static o => o.Dispose());
    }

    public T Own<T>(T owned)
        where T : IDisposable
    {
        lock (_owned) _owned.Add(owned);
        return owned;
    }

    public async ValueTask DisposeAsync()
    {
        DropClients();
        if (_host is null) return;
        try
        {
            if (LoopsOf(Gateways) is not null && !_stopped)
            {
                Gateway[] gateways = [.. Gateways.All.Where(static g => g is TcpGateway or HealthGateway)];
                await Wait.UntilAsync(
                    () =>
                    {
                        Time.Advance(TimeSpan.FromMinutes(2)); // nothing outlives its time-outs
                        return gateways.Sum(static g => g.OpenConnections) == 0;
                    },
                    static () => "no connection left open at the end");
            }

            if (!_stopped) await StopSoonAsync();
            foreach (ServerPool pool in Host.Services.GetRequiredService<ServerPools>().All)
            {
                await Wait.UntilAsync(() => pool.Servers.All(static s => s.InFlight == 0), () => $"no lease left in {pool.Name}");
                Assert.Equal(0, pool.LeaseMisuses);
                Assert.Equal(0, pool.QueueLength);
            }
        }
        catch (LbConfigurationException)
        {
            // A test of a configuration that can't be used.
        }
        finally
        {
            Host.Dispose();
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_loops")]
    private static extern ref LoopGroup? LoopsOf(Gateways gateways);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_shards")]
    private static extern ref TcpShard[] ShardsOf(TcpGateway gateway);
}
