using System.Globalization;

namespace Lb.Health.Tests.Monitoring;

/// <summary>keepalived's <c>misc_dynamic</c>: what real programs' exit codes do to a server.</summary>
[Trait("Row", "H15")]
public sealed class DynamicWeightTests : IDisposable
{
    private const int Limit = 60_000;
    private readonly string _directory = Directory.CreateTempSubdirectory("lb-dynamic-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public DynamicWeightTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "programs are run as checks on Linux only");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    // keepalived.conf(5), misc_dynamic: 0 = well, the weight stays; 1 = failed; 2 to 255 = well, the weight is the code less 2.
    [Theory(Timeout = Limit)]
    [InlineData(true, "0", "Up 10")]
    [InlineData(true, "1", "Down 10")]
    [InlineData(true, "2", "Drain 0")]
    [InlineData(true, "42", "Up 40")]
    [InlineData(true, "255", "Up 253")]
    [InlineData(true, "42 0 1 0 2 3 255", "Up 40, Up 40, Down 40, Up 40, Drain 0, Up 1, Up 253")]
    [InlineData(true, "1 42", "Down 10, Up 40")]
    [InlineData(false, "0 1 0 2 0 42 0 255", "Up 10, Down 10, Up 10, Down 10, Up 10, Down 10, Up 10, Down 10")]
    public async Task Exit_codes_are_weights(bool dynamic, string codes, string expected)
    {
        string script = Path.Combine(_directory, "check.sh"), code = Path.Combine(_directory, "code");
        await File.WriteAllTextAsync(script, $"#!/bin/sh\nread -r code <{code}\nexit $code\n", Ct);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(script, (UnixFileMode)0b111_101_101);
        CheckOptions options = new() { Type = "command", Command = { script }, Dynamic = dynamic, Rise = 1, Fall = 1 };
        using ProbeRig rig = new(servers: 0, pool: static p => p.Servers.Add(new ServerOptions { Name = "s1", Address = "127.0.0.1:1", Weight = 10, InitState = InitState.FullyUp }), checks: options);
        ServerWatch watch = new(rig.Pool, rig.S1, rig.Environment);
        Meter meter = new(new CommandChecker(options));
        ServerCheck loop = watch.Follow([new CheckPlan(options, meter)], [])[0];
        string[] steps = codes.Split(' '), states = expected.Split(", ");
        for (int i = 0; i < steps.Length; i++)
        {
            await File.WriteAllTextAsync(code, $"{steps[i]}\n", Ct);
            if (i == 0) loop.Start(0, 1);
            else rig.Advance(2);

            // The program runs in real time; what it means is taken in right after its end.
            while (meter.Ended <= i || rig.S1.LastCheck?.Code != int.Parse(steps[i], CultureInfo.InvariantCulture) || $"{rig.S1.Status} {rig.S1.Weight}" != states[i])
            {
                Assert.False(Ct.IsCancellationRequested, $"after {steps[i]}: {rig.S1.Status} {rig.S1.Weight}, not {states[i]}");
                await Task.Yield();
            }
        }

        watch.Stop([]);
    }

    /// <summary>Counts the checks that have ended.</summary>
    private sealed class Meter(CommandChecker inner) : IHealthChecker
    {
        private int _ended;

        public int Ended => Volatile.Read(ref _ended);

        public async ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct)
        {
            ProbeResult result = await inner.CheckAsync(target, ct);
            Interlocked.Increment(ref _ended);
            return result;
        }
    }
}
