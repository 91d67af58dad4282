using System.Runtime.InteropServices;

namespace Lb.Transport.Tests.Reactor;

/// <summary>What happens where io_uring is refused: by a real filter of system calls, put on a thread of the test's own, as containers have it.</summary>
[Trait("Row", "T3")]
public sealed class UringSupportTests
{
    [Theory]
    [InlineData(Errno.NotPermitted, "not allowed")]
    [InlineData(Errno.NoSystemCall, "this kernel has none")]
    public void A_refusal_is_named(int error, string reason)
    {
        string? missing = null;
        Refused(error, () => missing = UringSupport.Probe());

        Assert.Contains(reason, missing, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Loops_that_get_no_ring_run_on_epoll_with_one_warning()
    {
        LogIds log = new();
        LoopGroup? loops = null;
        TransportOptions options = new() { Driver = "io_uring", Loops = 3 };
        Refused(Errno.NoMemory, () => loops = new LoopGroup(options, TimeProvider.System, log));

        using LoopGroup group = loops!;
        Assert.All(group.Loops, static loop => Assert.IsType<EpollLoop>(loop));
        Assert.Equal(1, log.Count(4100));
        foreach (EventLoop loop in group.Loops) Assert.True(await LoopGroup.RunAsync(loop, () => loop.IsCurrent));
    }

    [Fact]
    public void Loops_that_are_asked_for_io_uring_have_it_where_it_is_allowed()
    {
        Assert.SkipWhen(UringSupport.Missing is not null, $"io_uring can't be used here: {UringSupport.Missing}.");
        LogIds log = new();
        using LoopGroup loops = new(new TransportOptions { Driver = "io_uring", Loops = 2 }, TimeProvider.System, log);

        Assert.All(loops.Loops, static loop => Assert.IsType<UringLoop>(loop));
        Assert.Equal(0, log.Count(4100));
    }

    [Theory]
    [InlineData(Errno.NotPermitted, "2", "kernel.io_uring_disabled is 2")]
    [InlineData(Errno.NotPermitted, "1", "kernel.io_uring_disabled is 1")]
    [InlineData(Errno.NotPermitted, "0", "this process is not allowed to (a container's filter of system calls?)")]
    [InlineData(Errno.Access, null, "this process is not allowed to (a container's filter of system calls?)")]
    [InlineData(Errno.NoSystemCall, null, "this kernel has none")]
    [InlineData(Errno.Invalid, "0", "the kernel is too old (Linux 6.1 or later is needed)")]
    [InlineData(Errno.NoMemory, "0", "there is no memory for it (the limit of locked memory, RLIMIT_MEMLOCK?)")]
    [InlineData(Errno.TooManyOpen, "0", "no descriptor is left for it")]
    [InlineData(99, "0", "its set-up fails with errno 99")]
    public void Every_error_has_its_sentence(int error, string? setting, string sentence) => Assert.Equal(sentence, UringSupport.Explain(error, setting));

    /// <summary>Runs something on a thread for which io_uring_setup(2) fails with this error. Threads that it starts inherit that.</summary>
    private static void Refused(int error, Action action)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "seccomp(2) is Linux's.");

        // Asked once for the process: not here, where the answer would be that of the test.
        _ = UringSupport.Missing;
        Exception? failure = null;
        bool filtered = false;
        Thread thread = new(() =>
        {
            filtered = Filter(error);
            try
            {
                if (filtered) action();
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        });
        thread.Start();
        thread.Join();
        Assert.SkipUnless(filtered, "This system lets no thread filter its own system calls.");
        Assert.Null(failure);
    }

    private static bool Filter(int error)
    {
        const int NoNewPrivileges = 38, SetSeccomp = 22, ModeFilter = 2;
        const uint SetUp = 425, Allow = 0x7FFF_0000, Fail = 0x5_0000;
        Instruction[] program =
        [
            new(0x20, 0, 0, 0), // load the number of the call
            new(0x15, 0, 1, SetUp), // is it this one?
            new(0x06, 0, 0, Fail | (uint)error),
            new(0x06, 0, 0, Allow),
        ];
        GCHandle pinned = GCHandle.Alloc(program, GCHandleType.Pinned);
        try
        {
            Program filter = new((ushort)program.Length, pinned.AddrOfPinnedObject());
            return Control(NoNewPrivileges, 1, 0, 0, 0) == 0 && Control(SetSeccomp, ModeFilter, ref filter, 0, 0) == 0;
        }
        finally
        {
            pinned.Free();
        }
    }

    [DllImport("libc", EntryPoint = "prctl")]
    private static extern int Control(int option, nint a, nint b, nint c, nint d);

    [DllImport("libc", EntryPoint = "prctl")]
    private static extern int Control(int option, nint mode, ref Program program, nint c, nint d);

    private record struct Instruction(ushort Code, byte True, byte False, uint Value);

    private record struct Program(ushort Length, nint Instructions);
}
