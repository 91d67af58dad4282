using System.Net;
using System.Net.Sockets;
using Lb.Transport;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.EndToEnd.Tests;

/// <summary>A host as its users run it: everything from a JSON file, real sockets, the system's clock.</summary>
internal sealed class Lab : IAsyncDisposable
{
    private readonly string _file;
    private readonly IHost _host;

    private Lab(string file, IHost host, EventLog events)
    {
        _file = file;
        _host = host;
        Events = events;
    }

    public EventLog Events { get; }

    public ServerPool Pool => _host.Services.GetRequiredService<ServerPools>()["web"];

    public TcpGateway Gateway => (TcpGateway)_host.Services.GetRequiredService<Gateways>()["front"];

    public EndPoint EndPoint => Gateway.EndPoints[0];

    public static async Task<Lab> StartAsync(string json)
    {
        string file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, json);
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddJsonFile(file, optional: false, reloadOnChange: false);
        EventLog events = new();
        builder.Services.AddSingleton<INotifier>(events);
        builder.Services.AddLb(builder.Configuration.GetSection("Lb")).AddGateways().AddHealth();
        IHost host = builder.Build();
        await host.StartAsync();
        return new Lab(file, host, events);
    }

    public async ValueTask DisposeAsync()
    {
        ServerPool pool = Pool;
        await _host.StopAsync();
        Assert.All(pool.Servers, static s => Assert.Equal(0, s.InFlight));
        Assert.Equal(0, pool.LeaseMisuses);
        _host.Dispose();
        File.Delete(_file);
    }
}

/// <summary>Keeps the changes of servers and lets a test wait for one.</summary>
internal sealed class EventLog : INotifier
{
    private readonly Lock _lock = new();
    private readonly List<ServerStatusChanged> _changes = [];
    private readonly List<(Predicate<ServerStatusChanged> Wanted, TaskCompletionSource Heard)> _waiting = [];

    public IReadOnlyList<ServerStatusChanged> Changes
    {
        get
        {
            lock (_lock) return [.. _changes];
        }
    }

    /// <summary>Ends when a server has changed to a status, or at once when it has before.</summary>
    public Task WhenAsync(string server, ServerStatus to)
    {
        bool Wanted(ServerStatusChanged c) => c.Server == server && c.To == to;
        lock (_lock)
        {
            if (_changes.Exists(Wanted)) return Task.CompletedTask;
            TaskCompletionSource heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((Wanted, heard));
            return heard.Task;
        }
    }

    public ValueTask NotifyAsync(LbEvent notice, CancellationToken ct)
    {
        if (notice is not ServerStatusChanged change) return ValueTask.CompletedTask;
        lock (_lock)
        {
            _changes.Add(change);
            foreach ((Predicate<ServerStatusChanged> wanted, TaskCompletionSource heard) in _waiting)
            {
                if (wanted(change)) heard.TrySetResult();
            }
        }

        return ValueTask.CompletedTask;
    }
}

/// <summary>One request of a client: the server's name, some words there and back, an end on both sides.</summary>
internal static class Request
{
    public static async Task<string> SendAsync(EndPoint gateway, int words = 3)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(gateway);
        byte[] block = new byte[16];
        string name = ((char)(await ReadAsync(1))[0]).ToString();
        for (int i = 0; i < words; i++)
        {
            block[0] = (byte)i;
            await socket.SendAsync(block.AsMemory(0, 8));
            Assert.Equal((byte)i, (await ReadAsync(8))[0]);
        }

        socket.Shutdown(SocketShutdown.Send);
        if (await socket.ReceiveAsync(block) != 0) throw new InvalidDataException("Bytes after the end.");
        return name;

        async Task<byte[]> ReadAsync(int count)
        {
            for (int read = 0; read < count;)
            {
                int got = await socket.ReceiveAsync(block.AsMemory(read, count - read));
                if (got == 0) throw new SocketException((int)SocketError.ConnectionReset);
                read += got;
            }

            return block;
        }
    }
}
