using System.Diagnostics;
using System.Globalization;

namespace Lb.Tool.Tests;

/// <summary>A real address that comes and goes, in a network namespace that only this test has.</summary>
public sealed class HaSuspendRunTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public HaSuspendRunTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Only root may make a network namespace.");
        Assert.SkipUnless(File.Exists("/usr/bin/unshare") && (File.Exists("/usr/sbin/ip") || File.Exists("/sbin/ip")), "unshare (util-linux) and ip (iproute2) are needed.");
    }

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 120_000)]
    [Trait("Row", "H33")]
    public async Task Checks_rest_until_the_address_is_on_an_interface_and_again_when_it_has_gone()
    {
        string file = _folder.Write("lb.json", """
            { "Lb": { "Pools": { "web": {
              "HaSuspend": [ "192.0.2.86" ],
              "Servers": [ { "Name": "a", "Address": "127.0.0.1:9" } ],
              "Checks": [ { "Type": "tcp", "Interval": "100ms", "Fall": 1 } ] } } } }
            """);
        await using LbProcess lb = new(["unshare", "--net", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh"], ["run", "-c", file]);
        await lb.LineWithAsync("checks of pool web are suspended");
        await lb.LineWithAsync("Running ");
        Assert.DoesNotContain("is DOWN", lb.Text, StringComparison.Ordinal);

        await ChangeAsync(lb, "add");
        await lb.LineWithAsync("checks of pool web go on");
        await lb.LineWithAsync("web/a is DOWN: L4CON: connection refused");

        await ChangeAsync(lb, "del");
        await lb.LineWithAsync("checks of pool web are suspended");
        await lb.SignalAsync("TERM");
        Assert.Equal(0, await lb.ExitCodeAsync());
    }

    private static async Task ChangeAsync(LbProcess lb, string how)
    {
        string id = lb.Id.ToString(CultureInfo.InvariantCulture);
        using Process change = Process.Start(new ProcessStartInfo("nsenter", ["--target", id, "--net", "ip", "address", how, "192.0.2.86/32", "dev", "lo"]))!;
        await change.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, change.ExitCode);
    }
}
