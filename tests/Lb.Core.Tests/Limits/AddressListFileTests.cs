using Lb.Testing;

namespace Lb.Core.Tests.Limits;

[Trait("Row", "A6")]
public sealed class AddressListFileTests : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly string _path = Path.GetTempFileName();
    private readonly ManualTimeProvider _time = new();
    private readonly AddressList _list = new();

    [Fact]
    public void Lines_comments_and_empty_lines_are_read_as_HAProxy_reads_them()
    {
        List<ConfigurationError> errors = [];
        using StringReader text = new("# head\n\n  10.0.0.0/8\r\n192.0.2.1 # one\n\t2001:db8::/32\n");
        IReadOnlyList<AddressPrefix> networks = AddressListFile.Read(text, "list", errors);
        Assert.Empty(errors);
        Assert.Equal("10.0.0.0/8 192.0.2.1/32 2001:db8::/32", string.Join(' ', networks));
    }

    [Fact]
    public void A_fault_names_file_line_and_value_and_the_old_list_stays()
    {
        using AddressListFile file = new(_path, _list, _time);
        File.WriteAllText(_path, "10.0.0.0/8\n");
        Assert.Empty(file.Load());
        File.WriteAllText(_path, "192.0.2.0/24\nnonsense\n10.0.0.0/33\n");
        Assert.Equal(
            [$"{_path}:2 = 'nonsense': must be an IP address with its prefix, for example 192.168.88.86/24 or 2001:db8::86/64", $"{_path}:3 = '10.0.0.0/33': the prefix '33' must be 0 to 32"],
            file.Load().Select(static e => e.ToString()));
        Assert.Equal("10.0.0.0/8", Networks());
    }

    [Fact]
    public void A_file_of_faults_tells_twenty_of_them()
    {
        List<ConfigurationError> errors = [];
        using StringReader text = new(string.Join('\n', Enumerable.Repeat("x", 1000)));
        Assert.Empty(AddressListFile.Read(text, "list", errors));
        Assert.Equal(21, errors.Count);
        Assert.Equal("list: 980 further lines can't be read", errors[^1].ToString());
    }

    [Fact]
    public void A_file_that_is_not_there_is_a_fault()
    {
        using AddressListFile file = new(_path + ".not", _list, _time);
        Assert.StartsWith($"{_path}.not: can't be read: ", Assert.Single(file.Load()).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_change_is_followed_when_the_file_has_come_to_rest()
    {
        List<int> told = [];
        using AddressListFile file = new(_path, _list, _time);
        file.Load();
        file.Follow(errors => told.Add(errors.Count));
        _time.Advance(3 * Second);
        Assert.Empty(told);

        File.WriteAllText(_path, "10.0.0.0/8\n");
        _time.Advance(Second);
        Assert.Equal("", Networks());
        File.AppendAllText(_path, "192.0.2.0/24\n");
        _time.Advance(Second);
        Assert.Equal("", Networks());
        _time.Advance(Second);
        Assert.Equal("10.0.0.0/8 192.0.2.0/24", Networks());

        // A fault is told once, and the list stays; then the file is put right.
        File.WriteAllText(_path, "oh\n");
        _time.Advance(4 * Second);
        Assert.Equal("10.0.0.0/8 192.0.2.0/24", Networks());
        File.WriteAllText(_path, "203.0.113.0/24\n");
        _time.Advance(2 * Second);
        Assert.Equal("203.0.113.0/24", Networks());
        Assert.Equal([0, 1, 0], told);

        file.Dispose();
        File.WriteAllText(_path, "10.0.0.0/8\n");
        _time.Advance(4 * Second);
        Assert.Equal("203.0.113.0/24", Networks());
    }

    [Fact]
    public void A_link_that_is_pointed_elsewhere_is_a_change()
    {
        string link = _path + ".link", other = _path + ".other";
        File.WriteAllText(_path, "10.0.0.0/8\n");
        File.WriteAllText(other, "192.0.2.0/24\n# longer\n");
        File.CreateSymbolicLink(link, _path);
        using AddressListFile file = new(link, _list, _time);
        Assert.Empty(file.Load());
        file.Follow();
        File.Delete(link);
        File.CreateSymbolicLink(link, other);
        _time.Advance(2 * Second);
        Assert.Equal("192.0.2.0/24", Networks());
        File.Delete(link);
        File.Delete(other);
    }

    public void Dispose() => File.Delete(_path);

    private string Networks() => string.Join(' ', _list.Entries().Select(static e => e.Network));
}
