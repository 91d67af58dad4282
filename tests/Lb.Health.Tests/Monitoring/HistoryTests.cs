using Lb.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.Health.Tests.Monitoring;

/// <summary>The last checks of a server.</summary>
[Trait("Row", "H28")]
public sealed class HistoryTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_check_is_kept_with_its_time_its_text_and_the_flip()
    {
        using ProbeRig rig = new(checks: new CheckOptions { Fall = 2, Rise = 1 });
        rig.Checker.Then("s1", FakeHealthChecker.Pass, FakeHealthChecker.Fail, FakeHealthChecker.Fail, FakeHealthChecker.Pass);
        rig.Start();
        rig.Advance(7);
        Assert.Equal(
            [
                "0 tcp L7OK/200 OK Up",
                "2 tcp L4CON/0 connection refused Up",
                "4 tcp L4CON/0 connection refused Down flipped",
                "6 tcp L7OK/200 OK Up flipped",
            ],
            Show(rig.Watches[0].History));
        Assert.Equal(rig.S1.LastCheck, rig.Watches[0].History[^1].Report);
    }

    [Fact]
    public void Only_the_last_ones_are_kept_and_a_reload_changes_how_many()
    {
        using ProbeRig rig = new(checks: new CheckOptions());
        rig.Follow(static o => o.Health.History = 3);
        rig.Start();
        rig.Advance(9);
        Assert.Equal(["4", "6", "8"], Times());
        rig.Follow(static o => o.Health.History = 5);
        rig.Advance(2);
        Assert.Equal(["4", "6", "8", "10"], Times());
        rig.Advance(4);
        Assert.Equal(["6", "8", "10", "12", "14"], Times());
        rig.Follow(static o => o.Health.History = 2);
        rig.Advance(2);
        Assert.Equal(["14", "16"], Times());
        rig.Follow(static o => o.Health.History = 0);
        rig.Advance(2);
        Assert.Empty(Times());

        IEnumerable<string> Times() => Show(rig.Watches[0].History).Select(static l => l.Split(' ')[0]);
    }

    [Fact]
    public void Eight_are_kept_by_default_of_all_checks_together()
    {
        using ProbeRig rig = new(checks: [new CheckOptions(), new CheckOptions { Type = "http" }]);
        rig.Start();
        rig.Advance(60);
        string[] history = Show(rig.Watches[0].History);
        Assert.Equal(8, history.Length);
        Assert.Equal(["59 http L7OK/200 OK Up", "60 tcp L7OK/200 OK Up"], history[^2..]);
    }

    [Fact]
    public void A_check_leaves_nothing_behind_in_the_ring()
    {
        ReportRing ring = new();
        CheckReport report = new(CheckStatus.Layer4Ok, 0, TimeSpan.Zero, "", DateTimeOffset.UnixEpoch, 1);
        ring.Add(16, "tcp", report, ServerHealth.Up, flipped: false);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++) ring.Add(16, "tcp", report, ServerHealth.Up, flipped: false);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void What_is_kept_comes_back_as_it_was()
    {
        ReportRing ring = new();
        HealthRecord[] records =
        [
            .. from status in Enum.GetValues<CheckStatus>()
               from verdict in Enum.GetValues<ServerHealth>()
               from flipped in (bool[])[false, true]
               select new HealthRecord(
                   "http", new CheckReport(status, -(int)status, TimeSpan.FromTicks(864_000_000_001 + (int)status), "x", ManualTimeProvider.Start.AddTicks(1), int.MinValue), verdict, flipped),
        ];
        foreach (HealthRecord record in records) ring.Add(records.Length, record.Check, record.Report, record.Verdict, record.Flipped);
        Assert.Equal(records, ring.Copy());
    }

    [Fact]
    public async Task Readers_and_writers_do_not_disturb_each_other()
    {
        using ProbeRig rig = new();
        ServerWatch watch = new(rig.Pool, rig.S1, rig.Environment);
        ServerCheck check = watch.Follow([new CheckPlan(new CheckOptions(), rig.Checker)], [])[0];
        Task writer = Task.Run(
            () =>
            {
                for (int i = 1; i <= 20_000; i++) watch.Report(check, new CheckReport(CheckStatus.Layer4Ok, i, TimeSpan.FromTicks(i), "", DateTimeOffset.UnixEpoch, i), cause: null);
            },
            Ct);
        while (!writer.IsCompleted)
        {
            IReadOnlyList<HealthRecord> copy = watch.History;
            for (int i = 1; i < copy.Count; i++) Assert.Equal(copy[i - 1].Report.Code + 1, copy[i].Report.Code);
            Assert.All(copy, static r => Assert.Equal(r.Report.Code, r.Report.Consecutive));
        }

        await writer;
        Assert.Equal(20_000, watch.History[^1].Report.Code);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_host_gives_it_out_by_server()
    {
        ManualTimeProvider time = new();
        FakeHealthChecker checker = new(time);
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddServerPool("web").AddServer("127.0.0.1:8001", name: "a").AddCheck(checker);
        builder.Services.AddServerPool("bare").AddServer("127.0.0.1:8002", name: "b");
        using IHost host = builder.Build();
        await host.StartAsync(Ct);
        time.Advance(TimeSpan.FromSeconds(2));
        ServerPools pools = host.Services.GetRequiredService<ServerPools>();
        IHealthReports reports = host.Services.GetRequiredService<IHealthReports>();
        Assert.Equal(2, reports.For(pools["web"].Servers[0]).Count);
        Assert.Empty(reports.For(pools["bare"].Servers[0]));
        await host.StopAsync(Ct);
    }

    private static string[] Show(IReadOnlyList<HealthRecord> history) =>
    [
        .. history.Select(static r =>
            $"{(r.Report.At - ManualTimeProvider.Start).TotalSeconds} {r.Check} {r.Report.Word}/{r.Report.Code} {r.Report.Text} {r.Verdict}{(r.Flipped ? " flipped" : "")}"),
    ];
}
