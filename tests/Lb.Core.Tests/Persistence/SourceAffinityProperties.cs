using Lb.Core.Tests.Properties;

namespace Lb.Core.Tests.Persistence;

/// <summary>Any sequence of connections, ends and sweeps: the store remembers what a plain list with LVS's timers remembers.</summary>
[Trait("Row", "K6")]
[Trait("Row", "X8")]
public sealed class SourceAffinityProperties
{
    private const long Second = TimeSpan.TicksPerSecond;
    private const int Clients = 6;

    [Theory]
    [InlineData(60)]
    [InlineData(7)]
    [InlineData(360)]
    public void It_remembers_what_timers_would(int timeout) => Cases.Check(Cases.Script(120), 60, 20300501 + (ulong)timeout, script =>
    {
        ServerPool pool = TestPool.Create(3, time: new Lb.Testing.ManualTimeProvider());
        Server[] servers = [.. pool.Servers];
        SourceAffinity store = new(new PersistenceOptions { Timeout = TimeSpan.FromSeconds(timeout) }, Second);
        Template?[] model = new Template?[Clients];
        List<(Template Template, SourceEntry Entry)> open = [];
        long now = 1_000_000 * Second, end = timeout * Second;
        foreach (int step in script)
        {
            int client = step / 16 % Clients;
            PeerAddress source = PeerAddress.FromV4(0x0A000000u + (uint)client, (ushort)(step % 60_000));
            Server server = servers[step / 1000 % 3];
            switch (step % 16)
            {
                case < 5:
                    now += step / 16 % (timeout * 8) * (Second / 10);
                    foreach (Template? template in model) template?.Fire(now);
                    break;
                case < 8:
                    Assert.Same(Keep(known: null).Server, store.Settle(in source, server, now));
                    break;
                case 8:
                    Assert.Same(Keep(known: servers[0]).Server, store.Settle(in source, server, now, instead: servers[0]));
                    break;
                case 9:
                    if (model[client] is not { IsOver: false } known || known.Server != server) model[client] = new Template(server);
                    model[client]!.Refresh(now + end);
                    store.Remember(in source, server, now);
                    break;
                case < 12:
                    Template opened = Keep(known: null);
                    opened.Open++;
                    open.Add((opened, store.Open(in source, server, now)!));
                    Assert.Same(opened.Server, open[^1].Entry.Server);
                    break;
                case < 14 when open.Count > 0:
                    int index = step / 16 % open.Count;
                    open[index].Template.Open--;
                    open[index].Entry.Closed(now);
                    open.RemoveAt(index);
                    break;
                case 14:
                    store.Sweep(now);
                    break;
            }

            for (int n = 0; n < Clients; n++)
                Assert.Same(model[n] is { IsOver: false } template ? template.Server : null, store.Find(PeerAddress.FromV4(0x0A000000u + (uint)n, 0), now));

            Template Keep(Server? known)
            {
                if (model[client] is not { IsOver: false } template || template.Server == known) template = model[client] = new Template(server);
                template.Refresh(now + end);
                return template;
            }
        }

        open.ForEach(o => o.Entry.Closed(now));
        store.Sweep(now + end + (100 * Second));
        Assert.Equal(0, store.Count);
    });

    /// <summary>A connection template with its timer, as in <c>ip_vs_conn_expire</c>: over, or another minute if it controls an open connection.</summary>
    private sealed class Template(Server server)
    {
        private long _end;

        public Server Server { get; } = server;

        public int Open { get; set; }

        public bool IsOver { get; private set; }

        // A minute begun while a connection is open may end later than a short timeout: it isn't cut.
        public void Refresh(long end) => _end = Math.Max(_end, end);

        public void Fire(long now)
        {
            while (!IsOver && _end <= now)
            {
                if (Open > 0) _end += 60 * Second;
                else IsOver = true;
            }
        }
    }
}
