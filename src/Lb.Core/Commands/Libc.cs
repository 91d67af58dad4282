using System.Runtime.InteropServices;

namespace Lb;

/// <summary>The system calls that run programs. Numbers and layouts are those of 64-bit Linux, where glibc and musl, x64 and arm64 agree.</summary>
internal static unsafe partial class Libc
{
    public const int KillSignal = 9;
    public const int CloseOnExec = 0x80000;
    public const int NotFound = 2;
    public const int NoChild = 10;

    public const int WaitPid = 1;
    public const int WaitNoHang = 1;
    public const int WaitExited = 4;
    public const int WaitAndLeave = 0x0100_0000;

    public const short SpawnSignalsDefault = 0x04;
    public const short SpawnSignalMask = 0x08;
    public const short SpawnSession = 0x80;

    public const ushort ModeType = 0xF000;
    public const ushort ModeLink = 0xA000;
    public const ushort ModeFile = 0x8000;
    public const ushort ModeSticky = 0x200;
    public const ushort ModeWritableByOthers = 0x12;
    public const ushort ModeExecutable = 0x49;

    private const int AtWorkingDirectory = -100;
    private const int DoNotFollow = 0x100;
    private const uint StatMode = 0x1 | 0x2;
    private const uint StatUser = 0x8;

    /// <summary>Room for any of the opaque objects of posix_spawn and for a set of signals; the largest has 336 bytes.</summary>
    public const int OpaqueSize = 512;

    /// <summary>Owner and mode of a file, links followed.</summary>
    /// <returns>False: there is no such file, or it can't be looked at.</returns>
    /// <param name="path">Its path.</param>
    /// <param name="owner">Id of its owner.</param>
    /// <param name="mode">Its type and permissions.</param>
    /// <param name="follow">False: of a link itself, when it is one.</param>
    public static bool TryStat(string path, out uint owner, out ushort mode, bool follow = true)
    {
        byte* data = stackalloc byte[256];
        new Span<byte>(data, 256).Clear();
        bool found = StatX(AtWorkingDirectory, path, follow ? 0 : DoNotFollow, StatMode | StatUser, data) == 0;
        owner = *(uint*)(data + 20);
        mode = *(ushort*)(data + 28);
        return found;
    }

    /// <summary>Ids of a user. The answer lies in memory of the library's own: one caller at a time.</summary>
    public static bool TryFindUser(string name, out uint user, out uint group)
    {
        user = group = 0;
        byte* found = GetPasswd(name);
        if (found is null) return false;
        user = *(uint*)(found + 16);
        group = *(uint*)(found + 20);
        return true;
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "waitid", SetLastError = true)]
    public static partial int WaitId(int kind, int process, void* info, int options);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    public static partial int Wait(int process, out int status, int options);

    [LibraryImport("libc", EntryPoint = "pipe2", SetLastError = true)]
    public static partial int Pipe(int* ends, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "sigfillset")]
    public static partial int FillSignals(void* set);

    [LibraryImport("libc", EntryPoint = "sigemptyset")]
    public static partial int EmptySignals(void* set);

    [LibraryImport("libc", EntryPoint = "posix_spawn", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Spawn(out int process, string path, void* actions, void* attributes, byte** arguments, byte** environment);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    public static partial int InitAttributes(void* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    public static partial int SetFlags(void* attributes, short flags);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    public static partial int SetSignalsDefault(void* attributes, void* set);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    public static partial int SetSignalMask(void* attributes, void* set);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    public static partial int DestroyAttributes(void* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    public static partial int InitActions(void* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int AddOpen(void* actions, int descriptor, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    public static partial int AddDuplicate(void* actions, int from, int to);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addchdir_np", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int AddDirectory(void* actions, string path);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    public static partial int DestroyActions(void* actions);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int directory, string path, int flags, uint mask, void* data);

    [LibraryImport("libc", EntryPoint = "getpwnam", StringMarshalling = StringMarshalling.Utf8)]
    private static partial byte* GetPasswd(string name);
}
