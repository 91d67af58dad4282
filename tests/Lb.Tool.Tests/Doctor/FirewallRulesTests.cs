namespace Lb.Tool.Tests.Doctor;

// The texts are what nft 1.0.6 and iptables 1.8.9 print.
[Trait("Row", "B7")]
public sealed class FirewallRulesTests
{
    private const string Closed = """
        table inet filter {
        	chain input {
        		type filter hook input priority filter; policy drop;
        		ct state established,related accept
        		iifname "lo" accept
        		tcp dport 22 accept
        		RULE
        	}

        	chain forward {
        		type filter hook forward priority filter; policy drop;
        	}
        }
        """;

    public static TheoryData<string, string> NftRules => new()
    {
        { "", "DropsAll" },
        { "meta l4proto 112 accept", "Passes" },
        { "ip protocol vrrp accept", "Passes" },
        { "ip protocol vrrp counter packets 5 bytes 200 accept", "Passes" },
        { "meta l4proto { tcp, 112 } accept", "Passes" },
        { "ip daddr 224.0.0.18 accept", "Passes" },
        { "iifname \"eth0\" accept", "Passes" },
        { "iifname \"eth1\" accept", "DropsAll" },
        { "iifname \"eth1\" ip protocol vrrp accept", "DropsAll" },
        { "iifname \"eth0\" ip protocol vrrp accept", "Passes" },
        { "ip protocol 112 drop", "DropsAdverts" },
        { "ip protocol 50 accept", "DropsAll" },
        { "ip protocol vrrp jump adverts", "DropsAll" },
        { "accept", "Passes" },
    };

    public static TheoryData<string, string> IptablesRules => new()
    {
        { "-P INPUT ACCEPT\n-P FORWARD DROP\n-P OUTPUT ACCEPT", "Passes" },
        { "-P INPUT DROP\n-P OUTPUT ACCEPT\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT", "DropsAll" },
        { "-P INPUT DROP\n-A INPUT -p vrrp -j ACCEPT", "Passes" },
        { "-P INPUT DROP\n-A INPUT -i eth0 -p 112 -j ACCEPT", "Passes" },
        { "-P INPUT DROP\n-A INPUT -i eth1 -p 112 -j ACCEPT", "DropsAll" },
        { "-P INPUT DROP\n-A INPUT -i eth0 -j ACCEPT", "Passes" },
        { "-P INPUT DROP\n-A INPUT -d 224.0.0.18/32 -j ACCEPT", "Passes" },
        { "-P INPUT ACCEPT\n-A INPUT -j REJECT --reject-with icmp-host-prohibited", "DropsAll" },
        { "-P INPUT ACCEPT\n-P OUTPUT ACCEPT\n-A OUTPUT -p 112 -j DROP", "DropsAdverts" },
        { "-P INPUT ACCEPT\n-P OUTPUT DROP\n-A INPUT -p 112 -j ACCEPT", "DropsAll" },
    };

    [Theory]
    [MemberData(nameof(NftRules))]
    public void A_chain_of_nftables_that_drops_needs_a_rule_for_adverts(string rule, string verdict) =>
        Assert.Equal(verdict, FirewallRules.JudgeNft(Closed.Replace("RULE", rule, StringComparison.Ordinal), isV6: false, udpPort: null, "eth0").ToString());

    [Theory]
    [MemberData(nameof(IptablesRules))]
    public void A_chain_of_iptables_that_drops_needs_a_rule_for_adverts(string rules, string verdict) =>
        Assert.Equal(verdict, FirewallRules.JudgeIptables(rules, udpPort: null, "eth0").ToString());

    [Fact]
    public void Without_rules_everything_passes()
    {
        Assert.Equal(FirewallVerdict.Passes, FirewallRules.JudgeNft("", isV6: false, null, "eth0"));
        Assert.Equal(FirewallVerdict.Passes, FirewallRules.JudgeIptables("", null, "eth0"));
    }

    [Fact]
    public void Rules_of_the_other_family_and_of_forwarding_do_not_count()
    {
        string forV4 = Closed.Replace("inet", "ip", StringComparison.Ordinal);
        Assert.Equal(FirewallVerdict.Passes, FirewallRules.JudgeNft(forV4, isV6: true, null, "eth0"));
        Assert.Equal(FirewallVerdict.DropsAll, FirewallRules.JudgeNft(forV4, isV6: false, null, "eth0"));
        const string forwarding = "table inet f {\n\tchain forward {\n\t\ttype filter hook forward priority filter; policy drop;\n\t\tdrop\n\t}\n}";
        Assert.Equal(FirewallVerdict.Passes, FirewallRules.JudgeNft(forwarding, isV6: false, null, "eth0"));
    }

    [Fact]
    public void The_last_rule_may_do_what_a_policy_does()
    {
        const string rules = "table inet firewalld {\n\tchain filter_INPUT {\n\t\ttype filter hook input priority filter + 10; policy accept;\n\t\tRULE\n\t\treject with icmpx admin-prohibited\n\t}\n}";
        Assert.Equal(FirewallVerdict.DropsAll, FirewallRules.JudgeNft(rules.Replace("RULE", "ct state invalid drop", StringComparison.Ordinal), isV6: false, null, "eth0"));
        Assert.Equal(FirewallVerdict.Passes, FirewallRules.JudgeNft(rules.Replace("RULE", "meta l4proto 112 accept", StringComparison.Ordinal), isV6: false, null, "eth0"));
    }

    [Fact]
    public void A_rule_in_a_chain_that_is_jumped_to_counts_and_its_last_word_does_not()
    {
        string jumped = Closed.Replace("RULE", "jump adverts", StringComparison.Ordinal) + "\ntable inet filter {\n\tchain adverts {\n\t\tmeta l4proto 112 accept\n\t\tdrop\n\t}\n}";
        Assert.Equal(FirewallVerdict.Passes, FirewallRules.JudgeNft(jumped, isV6: false, null, "eth0"));
    }

    [Theory]
    [InlineData("udp dport 18112 accept", "Passes")]
    [InlineData("udp dport { 53, 18112 } accept", "Passes")]
    [InlineData("udp dport 1811 accept", "DropsAll")]
    [InlineData("meta l4proto 112 accept", "DropsAll")]
    public void Adverts_over_udp_need_their_port(string rule, string verdict) =>
        Assert.Equal(verdict, FirewallRules.JudgeNft(Closed.Replace("RULE", rule, StringComparison.Ordinal), isV6: false, 18112, "eth0").ToString());
}
