namespace Lb.Vrrp.Tests;

/// <summary>A machine with its clock and its neighbours: seconds in, actions out.</summary>
internal sealed class Election
{
    public static readonly PeerAddress Own = Wire.Ip("10.77.0.5");
    public static readonly PeerAddress Higher = Wire.Ip("10.77.0.200");
    public static readonly PeerAddress Lower = Wire.Ip("10.77.0.4");

    public Election(VrrpSettings? settings = null, bool ready = true)
    {
        Machine = new VrrpMachine(settings ?? new VrrpSettings());
        if (ready) Machine.Ready(default);
    }

    public VrrpMachine Machine { get; }

    public double Due => Machine.Deadline == TimeSpan.MaxValue ? double.PositiveInfinity : Machine.Deadline.TotalSeconds;

    public VrrpActions Start(double at = 0) => Machine.Start(S(at));

    public VrrpActions Deadline(double at) => Machine.DeadlineReached(S(at));

    public VrrpActions Hear(byte priority, double at, PeerAddress? from = null, double interval = 1, int version = 3, double? arrived = null)
        => Machine.Received(
            new VrrpAdvertisement { Version = version, RouterId = 51, Priority = priority, Interval = S(interval), AddressCount = 1 }, from ?? Higher, Own, S(arrived ?? at), S(at));

    /// <summary>Started and let run into its time-out.</summary>
    public Election Active(double at = 10)
    {
        Start();
        Deadline(at);
        Assert.Equal(RouterState.Active, Machine.State);
        return this;
    }

    public static TimeSpan S(double seconds) => TimeSpan.FromTicks((long)Math.Round(seconds * TimeSpan.TicksPerSecond));
}
