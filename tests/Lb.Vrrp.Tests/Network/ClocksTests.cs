namespace Lb.Vrrp.Tests;

public sealed class ClocksTests
{
    private const long Second = 1_000_000_000;
    private const long RealNow = 1_700_000_000 * Second;
    private static readonly TimeSpan Now = TimeSpan.FromSeconds(5000);

    [Fact]
    [Trait("Row", "V24")]
    public void A_packet_that_waited_while_we_were_stopped_arrived_when_the_kernel_says() =>
        Assert.Equal(Now - TimeSpan.FromSeconds(2), Clocks.ArrivedAt(RealNow - 2 * Second, RealNow, Now, lastEmpty: Now - TimeSpan.FromSeconds(3)));

    [Fact]
    [Trait("Row", "V24")]
    public void A_wall_clock_set_forward_makes_no_packet_older_than_the_last_look() =>
        Assert.Equal(Now - TimeSpan.FromSeconds(3), Clocks.ArrivedAt(RealNow - 3600 * Second, RealNow, Now, lastEmpty: Now - TimeSpan.FromSeconds(3)));

    [Fact]
    [Trait("Row", "V24")]
    public void A_wall_clock_set_back_brings_no_packet_from_the_future() =>
        Assert.Equal(Now, Clocks.ArrivedAt(RealNow + 3600 * Second, RealNow, Now, lastEmpty: Now - TimeSpan.FromSeconds(3)));

    [Fact]
    [Trait("Row", "V24")]
    public void A_packet_without_a_stamp_arrives_now() => Assert.Equal(Now, Clocks.ArrivedAt(0, RealNow, Now, lastEmpty: TimeSpan.Zero));

    [Fact]
    [Trait("Row", "V24")]
    public void The_axis_is_the_time_since_the_machine_started()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Linux only.");

        // CLOCK_MONOTONIC stands still while the machine sleeps, which /proc/uptime does not; it is never ahead of it.
        double uptime = double.Parse(File.ReadAllText("/proc/uptime").Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
        TimeSpan first = Clocks.Monotonic();
        TimeSpan second = Clocks.Monotonic();
        Assert.True(second >= first && first > TimeSpan.Zero);
        Assert.True(first.TotalSeconds < uptime + 60, $"{first} against {uptime} s.");
    }
}
