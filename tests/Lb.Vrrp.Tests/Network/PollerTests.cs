namespace Lb.Vrrp.Tests;

public sealed class PollerTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    public PollerTests()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Linux only.");
    }

    [Fact]
    [Trait("Row", "V31")]
    public void It_waits_until_the_moment_and_not_less()
    {
        using Poller poller = new();
        TimeSpan deadline = Clocks.Monotonic() + TimeSpan.FromMilliseconds(20);
        poller.Wait(deadline);
        Assert.True(Clocks.Monotonic() >= deadline);
        Assert.Equal(0, poller.Ready.Length);
    }

    [Fact]
    [Trait("Row", "V31")]
    public void A_moment_that_is_past_does_not_wait()
    {
        using Poller poller = new();
        poller.Wait(TimeSpan.Zero);
        poller.Wait(Clocks.Monotonic() - Hour);
        poller.Wait(Clocks.Monotonic() - Hour);
    }

    [Fact]
    [Trait("Row", "V31")]
    public void The_same_moment_sounds_again_when_it_is_asked_for_again()
    {
        using Poller poller = new();
        TimeSpan past = Clocks.Monotonic();
        poller.Wait(past);
        poller.Wait(past);
    }

    [Fact]
    [Trait("Row", "V31")]
    public void Another_thread_wakes_it_also_before_it_waits()
    {
        using Poller poller = new();
        poller.Wake();
        poller.Wait(null);
        Thread other = new(poller.Wake);
        other.Start();
        poller.Wait(Clocks.Monotonic() + Hour);
        other.Join();
        Assert.Equal(0, poller.Ready.Length);
    }

    [Fact]
    [Trait("Row", "V31")]
    public void It_names_the_descriptors_that_are_ready_out_of_many()
    {
        using Poller poller = new();
        EventFd[] all = [.. Enumerable.Range(0, 40).Select(static _ => new EventFd())];
        foreach (EventFd one in all) poller.Add(one.Descriptor);
        poller.Add(all[3].Descriptor); // twice is once
        poller.Add(-1);
        poller.Remove(all[20].Descriptor);
        all[3].Signal();
        all[20].Signal();
        all[39].Signal();
        poller.Wait(Clocks.Monotonic() + Hour);
        Assert.Equal(new[] { all[3].Descriptor, all[39].Descriptor }.Order(), poller.Ready.ToArray().Order());
        Assert.True(all[3].Take());
        Assert.False(all[3].Take());
        foreach (EventFd one in all) one.Dispose();
    }

    [Fact]
    [Trait("Row", "V31")]
    public void Waiting_allocates_nothing()
    {
        using Poller poller = new();
        using EventFd one = new();
        poller.Add(one.Descriptor);
        one.Signal();
        for (int i = 0; i < 10; i++) poller.Wait(Clocks.Monotonic());
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) poller.Wait(Clocks.Monotonic());
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
